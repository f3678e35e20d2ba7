"""A server on this machine that hands out one file, with the faults that a test asks for."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Larger than any buffer on the way, and no two places of it alike.
CONTENT = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(30_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves `content` at every path; set its attributes to make it misbehave."""

    def __init__(self) -> None:
        self.content = CONTENT
        #: Bytes after which the connection of the next answers is cut.
        self.cut: list[int] = []
        #: Bytes after which the next answers fall silent until the test ends.
        self.stall: list[int] = []
        #: Whether it answers a `Range` with a part.
        self.ranges = True
        #: Added to the offset from which a part is sent, and told.
        self.shift = 0
        #: What the next answers are, before 200: statuses.
        self.statuses: list[int] = []
        #: Answer everything with this status, if set.
        self.status = 200
        #: Announced in place of the true length; -1 for no announcement.
        self.announced: int | None = None
        #: Where it redirects the path "/moved" to.
        self.redirect = ""
        self.etag = ""
        #: For each request: its `Range`, or None.
        self.asked: list[str | None] = []
        #: Called before each answer.
        self.before = lambda: None
        self._end = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):  # a client may refuse what comes
                    outer._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        self.host = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.host}/weights.safetensors"

    def close(self) -> None:
        """Stop, and let every silent answer go."""
        self._end.set()
        self.http.shutdown()
        self.http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        self.before()
        if handler.path == "/moved":
            handler.send_response(302)
            handler.send_header("Location", self.redirect)
            handler.end_headers()
            return
        status = self.statuses.pop(0) if self.statuses else self.status
        if status != 200:
            handler.send_error(status)
            return
        same = handler.headers.get("If-Range") in (None, self.etag)
        partial = bool(wanted) and self.ranges and same
        first = int(wanted[6:-1]) + self.shift if wanted and partial else 0
        if first and first >= len(self.content):
            handler.send_error(416)
            return
        self._send(handler, first, partial=partial)

    def _send(self, handler: BaseHTTPRequestHandler, first: int, *, partial: bool) -> None:
        body, total = self.content[first:], len(self.content)
        handler.send_response(206 if partial else 200)
        if partial:
            handler.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        if self.announced != -1:
            length = len(body) if self.announced is None else self.announced - first
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if self.stall:
            handler.wfile.write(body[: self.stall.pop(0)])
            self._end.wait()
        else:
            handler.wfile.write(body[: self.cut.pop(0)] if self.cut else body)
