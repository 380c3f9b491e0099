"""The instructor's board, started and asked as a browser asks it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

ADDRESS = re.compile(r"(http://\S+?)/\?token=(\S+)")


class BoardTrouble(RuntimeError):
    """The board does not start, or lets in somebody without its token."""


def read_board(remix: Sequence[str], folder: Path, cwd: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Starts `remix board` on a folder, and returns what it shows to a page that has its token."""
    command = [*remix, "board", str(folder)]
    how = {"cwd": cwd, "env": dict(environment), "stdout": subprocess.PIPE, "text": True}
    board = subprocess.Popen(command, **how)
    try:
        assert board.stdout is not None
        found = next(filter(None, map(ADDRESS.search, board.stdout)), None)
        if found is None:
            raise BoardTrouble(f"the board has stopped with {board.wait()}")
        address, token = found.groups()
        require_token(address)
        return asyncio.run(everything(address, token))
    finally:
        board.send_signal(signal.SIGINT)
        board.communicate()


def require_token(address: str) -> None:
    """Asks without the token, which must be refused."""
    try:
        with urllib.request.urlopen(address):
            raise BoardTrouble("the board needs no token")
    except urllib.error.HTTPError as refused:
        with refused:
            if refused.code != 403:
                raise


async def everything(address: str, token: str) -> dict[str, Any]:
    """The first message to a page; events may still be read when it comes, so a later one is asked for too."""
    cookie = await asyncio.to_thread(cookie_of, f"{address}/?token={token}")
    live = f"{address.replace('http', 'ws', 1)}/live"
    shown: dict[str, Any] = {}
    for _ in range(20):
        socket = await websocket_connect(HTTPRequest(live, headers={"Cookie": cookie, "Origin": address}))
        before, shown = shown, json.loads(str(await socket.read_message()))
        socket.close()
        while await socket.read_message() is not None:  # until the board has closed its end too
            pass
        if before.get("rows") == shown["rows"] and shown["rows"]:
            return shown
        await asyncio.sleep(1)
    return shown


class Stay(urllib.request.HTTPRedirectHandler):
    """Shows a redirection in place of following it."""

    def redirect_request(self, *_: Any) -> None:
        return None


def cookie_of(address: str) -> str:
    """Returns the cookie that the token is exchanged for."""
    try:
        with urllib.request.build_opener(Stay).open(address):
            raise BoardTrouble("the token stays in the address")
    except urllib.error.HTTPError as moved:
        with moved:
            return str(moved.headers["Set-Cookie"]).partition(";")[0]
