"""A real HTTP proxy before a real server: counts requests, and answers some of them badly."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

Kind = Literal["refuse", "wait", "cut", "change", "hide"]
SECONDS = 0.3  # of an answer that waits


class Request(NamedTuple):
    method: str
    path: str
    query: str


@dataclass
class Trouble:
    """What happens to the next `times` GETs of an object whose path ends like this."""

    kind: Kind
    ending: str
    times: int = 10**6


@dataclass
class Proxy:
    """Everything that went through, and the troubles ahead."""

    target: str
    requests: list[Request] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def gets(self) -> list[str]:
        """Paths of the objects that were asked for."""
        return [r.path for r in self.requests if r.method == "GET" and "list-type" not in r.query]

    def listings(self) -> int:
        return sum(r.method == "GET" and "list-type" in r.query for r in self.requests)

    def others(self) -> list[Request]:
        """Neither: there are none when data is read."""
        return [r for r in self.requests if r.method != "GET"]

    def forget(self) -> None:
        self.requests.clear()
        self.troubles.clear()

    def trouble_of(self, request: Request) -> Kind | None:
        with self.lock:
            self.requests.append(request)
            for trouble in self.troubles:
                if request.method == "GET" and request.path.endswith(trouble.ending) and trouble.times:
                    trouble.times -= 1
                    return trouble.kind
        return None


@contextmanager
def running_proxy(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            kind = proxy.trouble_of(Request(self.command, unquote(parts.path), parts.query))
            if kind in ("refuse", "hide"):
                self.say(503 if kind == "refuse" else 404, "SlowDown" if kind == "refuse" else "NoSuchKey")
                return
            if kind == "wait":
                time.sleep(SECONDS)
            self.forward(body, kind)

        def say(self, status: int, code: str) -> None:
            text = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def forward(self, body: bytes, kind: Kind | None) -> None:
            server = http.client.HTTPConnection(urlsplit(proxy.target).netloc, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            data = answer.read()
            server.close()
            self.send_response(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                    self.send_header(key, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            if kind == "change":
                data = bytes([data[0] ^ 255]) + data[1:]
            if kind == "cut":
                data = data[: len(data) // 2]
                self.close_connection = True
            with suppress(BrokenPipeError):  # whoever waited has gone
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
