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
    with connection:
        try:
            server.echo(connection)
        except OSError:
            pass
