#!/usr/bin/env python3
"""A web server as a program of the local cloud; web.yaml deploys it, docs/local-programs.md says what it can rely on."""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the load balancer keeps connections

    def do_GET(self):
        body = f"{os.environ.get('GREETING', 'Hello')} from port {os.environ['PORT']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        print(self.address_string(), format % arguments, flush=True)  # a pipe is buffered: without flush it comes late


class Server(ThreadingHTTPServer):
    daemon_threads = True  # an idle connection must not hold up the end


server = Server((os.environ.get("HOST", "0.0.0.0"), int(os.environ["PORT"])), Page)
# ECS says SIGTERM and, after stopTimeout, SIGKILL. shutdown() waits for the loop that this handler interrupts.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("serving on port", os.environ["PORT"], flush=True)
server.serve_forever()
print("ended", flush=True)
