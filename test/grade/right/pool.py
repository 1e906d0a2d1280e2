import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import server

# Four threads of a pool.
from concurrent.futures import ThreadPoolExecutor

listener = server.listen()


def serve(connection):
    with connection:
        try:
            server.echo(connection)
        except OSError:
            pass


with ThreadPoolExecutor(4) as pool:
    while True:
        connection, _ = listener.accept()
        pool.submit(serve, connection)
