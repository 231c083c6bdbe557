"""Holds many connections open at once, with a request and a response on each: connections.py COUNT.

Client and server are two processes, so that each needs COUNT descriptors. Prints how many were answered.
"""
import os
import socket
import sys

count = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
port = listener.getsockname()[1]
child = os.fork()
if child == 0:
    servers = [listener.accept()[0] for _ in range(count)]
    for server in servers:
        server.recv(1000)
        server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    for server in servers:
        server.recv(1000)
    os._exit(0)
listener.close()
clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
answered = 0
for number, client in enumerate(clients):
    client.sendall(b"GET /item/%d HTTP/1.1\r\nHost: shop\r\n\r\n" % number)
for client in clients:
    answered += client.recv(1000).endswith(b"ok")
for client in clients:
    client.close()
os.waitpid(child, 0)
print(answered)
