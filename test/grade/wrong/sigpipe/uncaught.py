import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

# BrokenPipeError ends the one process that serves all.
import selectors

listener = server.listen()
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            connection, _ = listener.accept()
            connection.settimeout(0.2)
            selector.register(connection, selectors.EVENT_READ)
            continue
        connection = key.fileobj
        data = connection.recv(512)
        try:
            if data:
                connection.sendall(data)
        except TimeoutError:
            data = b""
        if not data:
            selector.unregister(connection)
            connection.close()
