# Perl's Net::Server::Fork: a forking server from a library, with limits, logs and hooks.
package Echo;
use strict;
use warnings;
use base 'Net::Server::Fork';

sub process_request {
    while (sysread STDIN, my $data, 65536) { syswrite STDOUT, $data }
}

Echo->run(host => '127.0.0.1', ipv => 4, port => $ARGV[0], listen => 511, max_servers => 20000, log_level => 0);
