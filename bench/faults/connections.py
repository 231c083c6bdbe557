"""Holds many connections open at once and sends a request and a response on each: connections.py COUNT."""
import resource
import socket
import sys

count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 100, 2 * count + 100))
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
port = listener.getsockname()[1]
pairs = []
for _ in range(count):
    client = socket.create_connection(("127.0.0.1", port))
    server, _ = listener.accept()
    pairs.append((client, server))
for number, (client, server) in enumerate(pairs):
    client.sendall(b"GET /item/%d HTTP/1.1\r\nHost: shop\r\n\r\n" % number)
    server.recv(1000)
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.recv(1000).endswith(b"ok")
print(f"{len(pairs)} connections open at once")
