"""A server that imports as good as nothing and answers every request with 200.

What a start takes then is the spawner's own. The stub of the other tests takes a tenth of a second
to import what it needs, which batchspawner's wrapper has already paid for.
"""

import os
import socket

place = os.environ["JUPYTERHUB_SERVICE_URL"].partition("://")[2].partition("/")[0]
host, _, port = place.rpartition(":")
server = socket.create_server((host, int(port)), backlog=64)
while True:
    connection, _ = server.accept()
    with connection:
        connection.settimeout(5)
        try:
            request = connection.recv(65536)
            while request and b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )
        except OSError as error:
            print(f"A client went away: {error}", flush=True)
