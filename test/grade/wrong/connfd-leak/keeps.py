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
connections = []
while True:
    connection, _ = listener.accept()
    connections.append(connection)
    if server.fork() == 0:
        server.child(listener, connection)
