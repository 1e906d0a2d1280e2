import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
signal.signal(signal.SIGCHLD, server.reap)
while True:
    if server.fork() == 0:
        connection, _ = listener.accept()
        server.child(listener, connection)
