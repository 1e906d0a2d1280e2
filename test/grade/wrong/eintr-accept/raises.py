import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

# The handler waits until there are no children left, and does not catch the exception that says so.
def reap(*_):
    while True:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return


listener = server.listen()
signal.signal(signal.SIGCHLD, reap)
while True:
    connection, _ = listener.accept()
    if server.fork() == 0:
        server.child(listener, connection)
    connection.close()
