"""A real HTTP server for the tests: with and without Range, dropping connections, refusing, redirecting.

It also speaks the part of the Hugging Face hub's interface that downloads use.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Served:
    """A file of the server, and how it misbehaves.

    cut       after how many bytes of the body the next connections are dropped
    status    what the next requests are answered instead
    token     the bearer token that it takes to get it
    redirect  the path it is moved to
    words     what the hub says to whoever has no token
    slow      the body comes in drops, until somebody hangs up or sets this to False
    """

    body: bytes = b""
    etag: str = '"v1"'
    ranges: bool = True
    sized: bool = True
    content_type: str = "application/octet-stream"
    cut: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    token: str = ""
    redirect: str = ""
    words: str = ""
    slow: bool = False


@dataclass
class Server:
    """The files by path, and what was asked of them."""

    url: str
    files: dict[str, Served] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    by_query: dict[str, bytes] = field(default_factory=dict)
    """Pages that depend on the query, by the whole address."""

    def add(self, path: str, body: bytes, **how: object) -> Served:
        self.files[path] = Served(body, **how)  # type: ignore[arg-type]
        return self.files[path]

    def add_repo(
        self,
        repo: str,
        files: Mapping[str, bytes],
        *,
        token: str = "",
        kind: str = "models",
        licence: str = "cc-by-4.0",
        stated: Mapping[str, str] | None = None,
    ) -> dict[str, Served]:
        """A repository as the hub shows it; `stated` replaces the checksums that the hub tells.

        Big files (weights) are in LFS: the hub redirects to them, and knows their SHA-256.
        """
        entries, served = [], {}
        prefix = "" if kind == "models" else f"{kind}/"
        for name, body in files.items():
            path = f"/{prefix}{repo}/resolve/{COMMIT}/{name}"
            entry: dict[str, object] = {"rfilename": name, "size": len(body)}
            if re.search(r"\.(?:bin|safetensors|pt|pth)$", name):
                sha256 = (stated or {}).get(name, hashlib.sha256(body).hexdigest())
                entry["lfs"] = {"sha256": sha256, "size": len(body), "pointerSize": 134}
                self.add(path, b"", redirect=f"/cdn{path}", token=token)
                served[name] = self.add(f"/cdn{path}", body)
            else:
                entry["blobId"] = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
                served[name] = self.add(path, body, token=token, content_type="text/plain")
            entries.append(entry)
        about = {"id": repo, "sha": COMMIT, "siblings": entries, "cardData": {"license": licence}}
        self.add(f"/api/{kind}/{repo}/revision/main", json.dumps(about).encode(), token=token)
        return served

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of every request for a path."""
        return [headers for asked, headers in self.requests if asked == path]


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server on a free local port."""
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    listener.daemon_threads = True
    server = Server(f"http://127.0.0.1:{listener.server_port}")
    listener.files = server  # type: ignore[attr-defined]
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        server: Server = self.server.files  # type: ignore[attr-defined]
        path = self.path.split("?")[0]
        server.requests.append((path, {name.title(): value for name, value in self.headers.items()}))
        page = server.by_query.get(self.path)
        file = Served(page, content_type="text/html") if page is not None else server.files.get(path)
        if file is None:
            return self._plain(404)
        if file.token and self.headers.get("Authorization") != f"Bearer {file.token}":
            return self._plain(401, {"X-Error-Message": file.words} if file.words else None)
        if file.status:
            return self._plain(file.status.pop(0))
        if file.redirect:
            return self._plain(302, {"Location": file.redirect})
        self._send(file)
        return None

    def _send(self, file: Served) -> None:
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if file.ranges else None
        if asked and self.headers.get("If-Range", file.etag) == file.etag:
            start, status = int(asked[1]), 206
        size = len(file.body)
        if start >= size > 0:
            return self._plain(416, {"Content-Range": f"bytes */{size}"})
        self.send_response(status)
        self.send_header("Content-Type", file.content_type)
        if file.etag:
            self.send_header("ETag", file.etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if file.sized:
            self.send_header("Content-Length", str(size - start))
        body, dropped = file.body[start:], False
        if file.cut:
            body, dropped = body[: file.cut.pop(0)], True
        self.close_connection = dropped or not file.sized
        self.end_headers()
        with suppress(ConnectionError):  # a client that was stopped
            while file.slow and body:
                self.wfile.write(body[:1000])
                body = body[1000:]
                time.sleep(0.05)
            self.wfile.write(body)
        return None

    def _plain(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
