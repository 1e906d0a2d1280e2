import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True

    def process_request(self, request, client_address):
        super().process_request(request, client_address)

    def finish_request(self, request, client_address):
        self.socket.close()  # in the child
        super().finish_request(request, client_address)


Server(("", int(sys.argv[1])), Echo).serve_forever()
