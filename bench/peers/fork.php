<?php
// PHP with pcntl, by the lecture's pattern.
pcntl_async_signals(true);
pcntl_signal(SIGCHLD, function () {
    while (pcntl_waitpid(-1, $status, WNOHANG) > 0);
});
$options = stream_context_create(['socket' => ['backlog' => 511]]);
$listener = stream_socket_server("tcp://127.0.0.1:$argv[1]", $code, $message,
    STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $options);
if (!$listener) exit("$message\n");

for (;;) {
    $connection = @stream_socket_accept($listener, -1); // false when SIGCHLD came
    if (!$connection) continue;
    if (pcntl_fork() === 0) {
        fclose($listener);
        while (($data = fread($connection, 65536)) !== '' && $data !== false) fwrite($connection, $data);
        posix_kill(getmypid(), SIGKILL); // PHP has no _exit; exit tears all of PHP down and takes five times as long
    }
    fclose($connection);
}
