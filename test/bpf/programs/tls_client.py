# Asks an HTTPS server over one connection: tls_client.py PORT REQUESTS. Prints as tls-client.mjs does.
import http.client
import os
import ssl
import sys

port, requests = int(sys.argv[1]), int(sys.argv[2])
connection = http.client.HTTPSConnection('127.0.0.1', port, context=ssl._create_unverified_context())
for number in range(requests):
    path = f'/python-{os.getpid()}-{number}'
    body = b'y' * (number * 97) if number % 2 else None
    connection.request('POST' if body else 'GET', path, body=body)
    print(path, connection.getresponse().read().decode().strip())
