import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
signal.signal(signal.SIGCHLD, lambda *_: os.wait())
while True:
    connection, _ = listener.accept()
    if server.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.child(listener, connection)
    connection.close()
