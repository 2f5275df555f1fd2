# SPDX-License-Identifier: GPL-3.0-or-later
"""What the internet offers in the lab: a page that tells the caller's address, and a TCP sink."""
import http.server
import socket
import socketserver
import threading

SINK_PORT = 7000  # the ISP's rules send every other port of the target here


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.client_address[0].removeprefix("::ffff:").encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Sink(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while self.request.recv(65536):
                pass
        except OSError:
            pass


class Web(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


class Drain(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main():
    web, sink = Web(("::", 80), Page), Drain(("::", SINK_PORT), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    print("ready", flush=True)
    web.serve_forever()


main()
