import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
import server

# The list of all is overwritten with the list of those who are ready.
listener = server.listen()
waiting = [listener]
while True:
    waiting, _, _ = select.select(waiting, [], [])
    for connection in list(waiting):
        if connection is listener:
            new, _ = listener.accept()
            waiting.append(new)
            continue
        try:
            data = connection.recv(4096)
            if data:
                connection.sendall(data)
                continue
        except OSError:
            pass
        waiting.remove(connection)
        connection.close()
