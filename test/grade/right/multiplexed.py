import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import server

# select.select() with what each client has not taken yet; beyond 1023 clients are refused.
listener = server.listen()
listener.setblocking(False)
unsent = {}


def drop(connection):
    del unsent[connection]
    connection.close()


while True:
    reading = [listener] + [each for each, data in unsent.items() if not data]
    writing = [each for each, data in unsent.items() if data]
    readable, writable, _ = select.select(reading, writing, [])
    for connection in writable + readable:
        if connection is listener:
            try:
                new, _ = listener.accept()
            except OSError:
                continue
            if new.fileno() >= 1024:
                new.close()
                continue
            new.setblocking(False)
            unsent[new] = b""
            continue
        try:
            if not unsent[connection]:
                unsent[connection] = connection.recv(4096)
                if not unsent[connection]:
                    drop(connection)
                    continue
            sent = connection.send(unsent[connection])
            unsent[connection] = unsent[connection][sent:]
        except BlockingIOError:
            pass
        except OSError:
            drop(connection)
