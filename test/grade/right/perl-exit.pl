# Perl flushes all that is buffered before it forks: exit() in a child prints nothing twice.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(:sys_wait_h);

my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die "listen: $!";
print "listening on $ARGV[0]\n";
$SIG{CHLD} = sub { local ($!, $?); 1 while waitpid(-1, WNOHANG) > 0 };
while (1) {
    my $client = $listener->accept or next;
    my $pid = fork;
    if (defined $pid && $pid == 0) {
        close $listener;
        while (sysread $client, my $data, 4096) {
            while (length $data) {
                my $n = syswrite $client, $data;
                last if !defined $n;
                substr($data, 0, $n) = '';
            }
        }
        exit 0;
    }
    close $client;
}
