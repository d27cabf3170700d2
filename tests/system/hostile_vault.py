"""A vault that somebody else is root on: it has the real one's key and certificate, and alters what that one answers."""
import http.client
import http.server
import ssl
import threading


class Answer:
    """What the real vault says, and what is made of it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.length = None  # another Content-Length than the body has
        self.raw = None     # a function that writes to the connection instead


class HostileVault:
    """Between a follower and `vault`, at a port of its own. `alter(method, path, answer)` is called with each answer;
    `requests` are (method, path, range) of what came. `shown` is the file that the follower shows to vaults: with it
    requests are sent on."""

    def __init__(self, vault, shown):
        self.vault, self.shown, self.requests = vault, shown, []
        self.alter = lambda method, path, answer: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chain = vault.folder / "chain.pem"
        chain.write_bytes((vault.root / "server.pem").read_bytes() + (vault.root / "authority.pem").read_bytes())
        context.load_cert_chain(chain, vault.root / "server.key")
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def answer(self):
                hostile.serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # the follower hangs up on what is wrong
                pass

            def finish_request(self, request, client_address):
                super().finish_request(context.wrap_socket(request, server_side=True), client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def real(self, method, path, body=b"", headers=None):
        """What the real vault answers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.shown.exists():
            context.load_cert_chain(self.shown)
        connection = http.client.HTTPSConnection("127.0.0.1", self.vault.port, context=context, timeout=60)
        connection.request(method, path, body, headers or {})
        got = connection.getresponse()
        answer = Answer(got.status, dict(got.getheaders()), got.read())
        connection.close()
        return answer

    def serve(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        span = handler.headers.get("Range")
        self.requests.append((handler.command, handler.path, span))
        answer = self.real(handler.command, handler.path, body, {"Range": span} if span else {})
        self.alter(handler.command, handler.path, answer)
        if answer.raw:
            handler.close_connection = True
            answer.raw(handler.wfile)
            return
        handler.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                handler.send_header(name, value)
        size = len(answer.body) if answer.length is None else answer.length
        if handler.command == "HEAD":
            size = answer.headers.get("Content-Length", size)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        handler.wfile.write(answer.body)
        if answer.length is not None:
            handler.close_connection = True
