use strict;
use warnings;
use IO::Socket::INET;

my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die "listen: $!";
my $client = $listener->accept;
while (sysread $client, my $data, 4096) {
    while (length $data) {
        my $n = syswrite $client, $data;
        last if !defined $n;
        substr($data, 0, $n) = '';
    }
}
