import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

import atexit

listener = server.listen()
atexit.register(lambda: print("the server has stopped", flush=True))
signal.signal(signal.SIGCHLD, server.reap)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    connection, _ = listener.accept()
    if server.fork() == 0:
        listener.close()
        server.echo(connection)
        sys.exit(0)
    connection.close()
