"""What the Python servers of this folder have in common, done right. Each sample does its own part wrong."""
import os
import signal
import socket
import sys


def bind_to(reuse):
    listener = socket.socket()
    if reuse:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(sys.argv[1])))
    listener.listen(16)
    return listener


def listen():
    return bind_to(True)


def echo(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


def reap(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def fork():
    """The child's number, 0 in the child, -1 where there can be none."""
    try:
        return os.fork()
    except OSError:
        return -1


def child(listener, connection):
    try:
        listener.close()
        echo(connection)
    except OSError:
        pass
    finally:
        os._exit(0)
