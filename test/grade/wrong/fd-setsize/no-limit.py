import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

listener = server.listen()
listener.setblocking(False)
unsent = {}
while True:
    reading = [listener] + [each for each, data in unsent.items() if not data]
    writing = [each for each, data in unsent.items() if data]
    readable, writable, _ = select.select(reading, writing, [])
    for connection in writable + readable:
        if connection is listener:
            new, _ = listener.accept()
            new.setblocking(False)
            unsent[new] = b""
            continue
        try:
            data = unsent[connection] or connection.recv(4096)
            if not data:
                raise ConnectionError
            unsent[connection] = data
            unsent[connection] = data[connection.send(data):]
        except BlockingIOError:
            pass
        except OSError:
            del unsent[connection]
            connection.close()
