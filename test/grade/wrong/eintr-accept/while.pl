# accept() gives nothing when SIGCHLD has interrupted it: the loop ends, and with it the server.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(:sys_wait_h _exit);

my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die "listen: $!";
$SIG{CHLD} = sub { 1 while waitpid(-1, WNOHANG) > 0 };
while (my $client = $listener->accept) {
    my $pid = fork;
    if (defined $pid && $pid == 0) {
        close $listener;
        $SIG{PIPE} = 'IGNORE';
        while (sysread $client, my $data, 4096) {
            while (length $data) {
                my $n = syswrite $client, $data;
                last if !defined $n;
                substr($data, 0, $n) = '';
            }
        }
        _exit(0);
    }
    close $client;
}
