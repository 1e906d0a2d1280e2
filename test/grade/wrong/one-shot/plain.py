import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
connection, _ = listener.accept()
server.echo(connection)
connection.close()
