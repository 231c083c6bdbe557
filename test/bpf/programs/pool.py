"""A service whose handlers hand a call to a pool of threads and wait for it.

pool.py PORT BACKEND: listens on PORT, calls BACKEND. The URL of a call names the handler's thread.
"""
import http.client
import http.server
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(4)


def call(handler):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
    connection.request("GET", f"/call?thread={handler}")
    body = connection.getresponse().read()
    connection.close()
    return body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = pool.submit(call, threading.get_native_id()).result()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
