import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.bind_to(False)
signal.signal(signal.SIGCHLD, server.reap)
while True:
    connection, _ = listener.accept()
    if server.fork() == 0:
        server.child(listener, connection)
    connection.close()
