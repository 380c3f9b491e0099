"""A small server for the board: one page, one websocket, one token.

It holds no state of its own on disk, starts no process, and asks no other machine for anything.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.lines import Event, Lines
from remix_utils.classroom.board.room import Room
from remix_utils.classroom.board.sentences import Sentences
from remix_utils.errors import RemixError

ROUND = 0.5  # seconds between two looks at the files
LOOPBACK = "127.0.0.1"
FILES = {
    "": ("page.html", "text/html"),
    "board.css": ("board.css", "text/css"),
    "board.js": ("board.js", "text/javascript"),
    "grid.js": ("grid.js", "text/javascript"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
REFUSED = "The board needs its token. Open the whole address that `remix board` printed.\n"


class BoardError(RemixError):
    """A board that cannot be served."""


@dataclass
class Board:
    """What the server's parts share."""

    lines: Lines
    room: Room
    sentences: Sentences
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    watchers: set[Socket] = field(default_factory=set)
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """The name of the cookie: cookies do not keep ports apart, and two boards may run."""
        return f"remix-board-{hmac.new(self.token.encode(), b'name', 'sha256').hexdigest()[:8]}"

    def knows(self, given: str | None) -> bool:
        """Tells whether a token is ours, in a time that does not depend on how much of it is right."""
        return hmac.compare_digest((given or "").encode(errors="replace"), self.token.encode())

    def everything(self) -> dict[str, Any]:
        """Returns the first message to a page."""
        now = time.time()
        rows = [self.room.page_row(desk) for desk in self.room.rows]
        return {"now": now, "columns": self.room.columns(), "rows": rows, **self.room.summary(now, self.lines)}

    def take(self, events: list[Event]) -> None:
        """Takes new events in, and tells the pages what changed."""
        columns = self.room.catalogue
        changed, now = self.room.add(events), time.time()
        summary = self.room.summary(now, self.lines)
        if not changed and summary == self.said:
            return
        self.said = summary
        if self.room.catalogue is not columns:
            self.tell(self.everything())
        else:
            self.tell({"now": now, "rows": [self.room.page_row(desk) for desk in changed], **summary})

    def tell(self, message: dict[str, Any]) -> None:
        """Sends a message to all pages."""
        text = json.dumps(message)
        for watcher in list(self.watchers):
            with suppress(WebSocketClosedError):
                watcher.write_message(text)

    async def watch(self) -> None:
        """Looks at the files again and again. A slow disk must not keep the pages waiting."""
        while True:
            self.take(await asyncio.to_thread(self.lines.new))
            mistake = self.room.mistake(time.time())
            if mistake and mistake._replace(pairs=0) not in self.room.sentences:
                sentence = await asyncio.to_thread(self.sentences.find, mistake)
                self.room.sentences[mistake._replace(pairs=0)] = sentence
            await asyncio.sleep(ROUND)


class Guarded(RequestHandler):
    """Lets in nobody without the token, and writes no address into a log."""

    def initialize(self, board: Board) -> None:
        self.board = board

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if not self.board.knows(self.get_cookie(self.board.cookie)):
            raise HTTPError(403)

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(REFUSED if status_code == 403 else f"{status_code}\n")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, HTTPError):  # its text would hold the address, and so the token
            print(f"The board could not answer a page: {getattr(typ, '__name__', typ)}.", file=sys.stderr)


class Page(Guarded):
    """The page and its files. The token leaves the address at once, which a projector shows to all."""

    def prepare(self) -> None:
        given = self.request.query_arguments.get("token", [b""])[-1].decode(errors="replace")
        if self.board.knows(given):
            self.set_cookie(self.board.cookie, self.board.token, httponly=True, samesite="Strict")
            self.redirect("/")
            return
        super().prepare()

    def get(self, name: str) -> None:
        if name not in FILES:
            raise HTTPError(404)
        file, kind = FILES[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish((resources.files("remix_utils.classroom.board") / file).read_bytes())


class Socket(Guarded, WebSocketHandler):
    """Sends rows to a page, and takes its swap clock from it."""

    def open(self, *_: str) -> None:
        self.board.watchers.add(self)
        self.write_message(json.dumps(self.board.everything()))

    def on_message(self, message: str | bytes) -> None:
        with suppress(ValueError, RecursionError):
            asked = json.loads(message)
            if isinstance(asked, dict) and self.board.room.set_swap(asked.get("swap"), time.time()):
                self.board.take([])

    def on_close(self) -> None:
        self.board.watchers.discard(self)


def application(board: Board) -> Application:
    """Returns what the server serves."""
    facts = {"board": board}
    return Application(
        [("/live", Socket, facts), ("/(.*)", Page, facts)],
        log_function=lambda handler: None,
        websocket_ping_interval=20,
        websocket_max_message_size=1024,
    )


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Returns sockets that listen. BoardError for an address that this machine cannot listen on."""
    try:
        if not host:  # it would mean every address of this machine
            raise OSError
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Tornado's own bind_sockets leaves a socket open where it fails.
        listening = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as problem:
        said = getattr(problem, "strerror", None) or "no address of this machine"
        raise BoardError(
            f"The board cannot listen on {host[:60]!r}, port {port}: {said}.",
            fix="leave --host out, or name another port: remix board --port 8900.",
        ) from None
    listening.setblocking(False)
    return [listening]


def serve(folder: Path, catalogue: Catalogue, host: str, port: int, swap: int = 0) -> None:
    """Serves the board of a folder until Ctrl-C."""
    folder = folder.absolute()
    board = Board(Lines(folder), Room(catalogue), Sentences(catalogue))
    board.room.set_swap(swap, time.time())
    asyncio.run(_serve(board, open_sockets(host, port), host, port))


async def _serve(board: Board, sockets: list[socket.socket], host: str, port: int) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            number = getattr(signal, name)
            before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    server = HTTPServer(application(board), max_header_size=16384, max_body_size=1024)
    server.add_sockets(sockets)
    watching = asyncio.create_task(board.watch())
    name = f"[{host}]" if ":" in host else host
    print(f"The board of {board.lines.folder}:\n  http://{name}:{port}/?token={board.token}", flush=True)
    if host not in (LOOPBACK, "::1", "localhost"):
        print("Other machines can reach it, and the connection is not encrypted.", flush=True)
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    watching.cancel()
    for number, handler in before.items():
        signal.signal(number, handler)
    if not stopped.is_set():
        await watching  # it failed, and its error is shown
