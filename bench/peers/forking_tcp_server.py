# Python's socketserver.ForkingTCPServer.
import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True
    request_queue_size = 511
    max_children = 20000


Server(('127.0.0.1', int(sys.argv[1])), Echo).serve_forever()
