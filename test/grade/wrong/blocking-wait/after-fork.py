import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
while True:
    connection, _ = listener.accept()
    pid = server.fork()
    if pid == 0:
        server.child(listener, connection)
    connection.close()
    if pid > 0:
        os.waitpid(pid, 0)
