import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
print("listening on port", sys.argv[1])
signal.signal(signal.SIGCHLD, server.reap)
while True:
    connection, _ = listener.accept()
    if server.fork() == 0:
        listener.close()
        server.echo(connection)
        sys.exit(0)
    connection.close()
