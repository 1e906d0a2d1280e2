# Perl, by the lecture's pattern.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(:sys_wait_h _exit);

$SIG{CHLD} = sub { local ($!, $?); 1 while waitpid(-1, WNOHANG) > 0 };
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 511, ReuseAddr => 1)
    or die "$@\n";

for (;;) {
    my $connection = $listener->accept or next;    # undef when SIGCHLD came
    if (!fork) {
        close $listener;
        while (sysread $connection, my $data, 65536) { syswrite $connection, $data }
        _exit(0);
    }
    close $connection;
}
