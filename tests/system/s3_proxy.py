"""A TCP proxy between kura and an S3 server, which fails as it is told."""
import socket
import threading


class Proxy:
    """Forwards to (host, port). `fault(request)` is asked with the head of each request, and gives what to do:

    None       forward
    "503"      answer 503 SlowDown, forward nothing
    "cut"      send on half of what the request has beyond its head, then close both ends
    "cut-answer"  forward, give back only the first half of the answer's first bytes, then close
    "lie"      take the request whole, forward nothing, answer 200
    bytes      take the request whole, forward nothing, answer with these
    "flip"     change a byte of the answer's body
    "endless"  answer with a header that does not end

    `requests` are the first lines of what came, `heads` all lines. With `most`, a connection is cut when so many bytes
    have come over it; with `tls` (a context) it speaks HTTPS to kura.
    """

    def __init__(self, host, port, fault=lambda request: None, most=None, tls=None):
        self.to, self.fault, self.most, self.tls = (host, port), fault, most, tls
        self.requests, self.heads, self.received = [], [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_quietly, args=(client,), daemon=True).start()

    def _serve_quietly(self, client):
        try:
            with self.tls.wrap_socket(client, server_side=True) if self.tls else client as stream:
                self._serve(stream)
        except OSError:
            pass  # one of the two has gone

    def _serve(self, client):
        """One request a connection, which keeps it simple: kura is told that the connection closes."""
        head, body = read_head(client)
        if not head:
            return
        request = head.split(b"\r\n", 1)[0].decode()
        self.requests.append(request)
        self.heads.append(head)
        fault, size = self.fault(request), length_of(head)
        if fault == "503":
            client.sendall(answer("503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"))
        elif fault == "endless":
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                client.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        elif isinstance(fault, bytes):
            read_body(client, head, body, size)
            client.sendall(fault)
        elif fault == "lie":
            read_body(client, head, body, size)
            client.sendall(answer("200 OK", b"", b'ETag: "0123456789abcdef0123456789abcdef"\r\n'))
        else:
            self._forward(client, head, body, size, fault)

    def _forward(self, client, head, body, size, fault):
        body = read_body(client, head, body, size, self.most)
        self.received += len(body)
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        if fault == "cut":
            body = body[:size // 2]
        with socket.create_connection(self.to) as server:
            server.sendall(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
            if fault == "cut":
                return
            got = b"".join(iter(lambda: server.recv(1 << 16), b""))
        if fault == "cut-answer":
            got = got[:-max(1, len(got.split(b"\r\n\r\n", 1)[1]) // 2)]
        if fault == "flip" and not got.endswith(b"\r\n\r\n"):
            got = got[:-1] + bytes([got[-1] ^ 1])
        client.sendall(got)


def answer(status, body, more=b""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode() + more + b"\r\n" + body


def read_head(client):
    data = b""
    while b"\r\n\r\n" not in data:
        got = client.recv(1 << 16)
        if not got:
            return b"", b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def length_of(head):
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def read_body(client, head, body, size, most=None):
    if b"expect:" in head.lower() and len(body) < size:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray(body)
    while len(body) < size:
        got = client.recv(1 << 18)
        if not got or (most is not None and len(body) > most):
            raise ConnectionResetError
        body += got
    return bytes(body)
