# Forks; ended children are waited for at each SIGCHLD, which interrupts accept().
use strict;
use warnings;
use Errno qw(EINTR);
use IO::Socket::INET;
use POSIX qw(:sys_wait_h _exit);

my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die "listen: $!";
$SIG{CHLD} = sub { local ($!, $?); 1 while waitpid(-1, WNOHANG) > 0 };
while (1) {
    my $client = $listener->accept;
    next if !$client;
    my $pid = fork;
    if (defined $pid && $pid == 0) {
        close $listener;
        $SIG{PIPE} = 'IGNORE';
        while (sysread $client, my $data, 4096) {
            my $sent = 0;
            while ($sent < length $data) {
                my $n = syswrite $client, $data, length($data) - $sent, $sent;
                last if !defined $n;
                $sent += $n;
            }
        }
        _exit(0);
    }
    close $client;
}
