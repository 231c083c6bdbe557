"""A service whose handlers share a pool of threads. The URLs of calls name the handler's thread.

executor.py PORT BACKEND: listens on PORT, calls BACKEND.
"""
import http.client
import http.server
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

PORT, BACKEND = int(sys.argv[1]), int(sys.argv[2])
pool = ThreadPoolExecutor(3)
others = ThreadPoolExecutor(3)


def call(kind, handler):
    connection = http.client.HTTPConnection("127.0.0.1", BACKEND)
    connection.request("GET", f"/call?{kind}={handler}")
    connection.getresponse().read()
    connection.close()


def branch(handler):
    call("first", handler)
    call("second", handler)
    others.submit(call, "nested", handler).result()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        handler = threading.get_native_id()
        branches = [pool.submit(branch, handler), pool.submit(call, "short", handler)]
        call("own", handler)
        for running in branches:
            running.result()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def tick():
    while True:
        time.sleep(0.02)
        try:
            call("nobody", threading.get_native_id())
        except OSError:
            return


threading.Thread(target=tick, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
print("ready", flush=True)
server.serve_forever()
