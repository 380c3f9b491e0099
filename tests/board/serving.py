"""A board that is served in this process, for tests that talk to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tornado.httpserver import HTTPServer

from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.lines import Lines
from remix_utils.classroom.board.room import Room
from remix_utils.classroom.board.sentences import Sentences
from remix_utils.classroom.board.server import Board, application, open_sockets


@contextmanager
def served(folder: Path, catalogue: Catalogue) -> Iterator[tuple[Board, str]]:
    """A board at work in a thread, and its address without the token."""
    board = Board(Lines(folder), Room(catalogue), Sentences(catalogue))
    sockets = open_sockets("127.0.0.1", 0)
    stop, ready = [], threading.Event()

    async def work() -> None:
        done = asyncio.Event()
        stop.append((asyncio.get_running_loop(), done))
        server = HTTPServer(application(board))
        server.add_sockets(sockets)
        watching = asyncio.create_task(board.watch())
        ready.set()
        await done.wait()
        watching.cancel()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    ready.wait()
    try:
        yield board, f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        loop, done = stop[0]
        loop.call_soon_threadsafe(done.set)
        thread.join()
