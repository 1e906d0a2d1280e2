import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

# readline() waits for the rest of a line, and with it everybody.
listener = server.listen()
clients = {}
poller = select.poll()
poller.register(listener, select.POLLIN)
while True:
    for fd, _ in poller.poll():
        if fd == listener.fileno():
            connection, _ = listener.accept()
            clients[connection.fileno()] = connection
            poller.register(connection, select.POLLIN)
            continue
        connection = clients[fd]
        try:
            line = bytearray()
            while not line.endswith(b"\n") and (byte := connection.recv(1)):
                line += byte
            connection.sendall(line)
        except OSError:
            line = b""
        if not line:
            poller.unregister(connection)
            connection.close()
            del clients[fd]
