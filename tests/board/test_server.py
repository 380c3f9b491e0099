"""Who gets to see the board, and what it leaves behind."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from remix_utils import cli
from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.server import BoardError, open_sockets
from tests.board.serving import served

ROOT = Path(__file__).parents[2]
COURSE = Catalogue({"d1.1": ("d1.1.1", "d1.1.2")})


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Shows a redirection in place of following it."""

    def redirect_request(self, *_):
        return None


def ask(address: str, cookie: str = "") -> tuple[int, dict, str]:
    """The status, the headers and the text of an answer."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(urllib.request.Request(address, headers={"Cookie": cookie})) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read().decode()


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with served(tmp_path_factory.mktemp("cohort"), COURSE) as (board, address):
        yield board, address


PATHS = ["/", "/board.js", "/grid.js", "/board.css", "/live", "/nothing", "/../server.py"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_shown(board, path):
    """Neither page nor files nor rows, with no token, a wrong one, one that is no text, or a wrong cookie."""
    served_board, address = board
    wrong = [
        "",
        "?token=",
        "?token=wrong",
        f"?token={served_board.token[:-1]}",
        "?token=%ff%00",
        f"?token={'x' * 5000}",
    ]
    for query in wrong:
        for cookie in ("", f"{served_board.cookie}=wrong", "=;;="):
            status, headers, text = ask(f"{address}{path}{query}", cookie)
            assert status == 403
            assert "Open the whole address" in text
            assert "Set-Cookie" not in headers


def test_the_token_leaves_the_address_at_once(board):
    """A projector shows the address bar to the room; the cookie cannot be read by scripts or sent by other sites."""
    served_board, address = board
    status, headers, _ = ask(f"{address}/?token={served_board.token}")
    assert (status, headers["Location"]) == (302, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(re.split("; ?", headers["Set-Cookie"]))
    status, headers, text = ask(f"{address}/", headers["Set-Cookie"].partition(";")[0])
    assert status == 200 and "<canvas" in text and served_board.token not in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_only_its_own_files_are_served(board):
    """There is no path into the package or the disk."""
    served_board, address = board
    cookie = f"{served_board.cookie}={served_board.token}"
    assert [ask(address + path, cookie)[0] for path in ("/server.py", "/..%2fserver.py", "//etc/passwd")] == [404] * 3


def test_another_site_cannot_listen(board):
    """A page of another origin is refused, even from a browser that has the cookie."""
    served_board, address = board
    headers = {"Cookie": f"{served_board.cookie}={served_board.token}"}

    async def listen(origin: str) -> str:
        where = HTTPRequest(address.replace("http", "ws") + "/live", headers={**headers, "Origin": origin})
        connection = await websocket_connect(where)
        first = await connection.read_message()
        connection.close()
        return first

    assert json.loads(asyncio.run(listen(address)))["columns"] == [["d1.1", ["d1.1.1", "d1.1.2"]]]
    with pytest.raises(HTTPClientError, match="403"):
        asyncio.run(listen("http://elsewhere.example"))


def test_the_page_names_no_other_machine():
    """Nothing in its files leads elsewhere."""
    folder = ROOT / "remix_utils" / "classroom" / "board"
    for name in ("page.html", "board.js", "grid.js", "board.css"):
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(
            r"(https?|wss?):/|url\(|@import|innerHTML|insertAdjacent|document\.write|\beval\b", text
        ), name


def test_the_token_is_in_no_log(board, capfd):
    """Neither when it was right nor when it was wrong, nor with an address that cannot be read."""
    served_board, address = board
    for query in (served_board.token, "wrong-token-%ff"):
        ask(f"{address}/?token={query}")
        ask(f"{address}/nothing?token={query}")
    said = "".join(capfd.readouterr())
    assert served_board.token not in said and "wrong-token" not in said


@pytest.mark.parametrize("option", ["--port=0", "--port=-1", "--port=99999999", "--swap=0", "--swap=x", "--swap=999"])
def test_numbers_out_of_range_are_refused(option, capsys):
    """As a sentence with a fix, before anything is started."""
    with pytest.raises(SystemExit) as end:
        cli.main(["board", option])
    assert end.value.code == 2
    assert "fix:" in capsys.readouterr().err


def test_an_address_that_is_not_ours_is_refused():
    """With the reason, and without a traceback."""
    for host in ("203.0.113.7", "no such host", "x" * 300, ""):
        with pytest.raises(BoardError, match="cannot listen"):
            open_sockets(host, 8799)


@contextmanager
def started(folder: Path, **how):
    """`remix board` as a program of its own, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "remix_utils.cli", "board", str(folder), "--port", str(port)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True, **how)
    try:
        yield child, next(line.strip() for line in child.stdout if "token=" in line), port
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_ctrl_c_is_one_line_and_a_kill_leaves_nothing(tmp_path):
    """It listens on this machine alone, stops with one line, and no process or socket stays behind."""
    with started(tmp_path) as (child, address, port):
        assert ask(address)[0] == 302
        if Path("/proc/net/tcp").exists():
            listening = [
                line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()
            ]
            ours = [each[1] for each in listening if each[1].endswith(f":{port:04X}") and each[3] == "0A"]
            assert ours == [f"0100007F:{port:04X}"]
        os.kill(child.pid, signal.SIGINT)
        said, errors = child.communicate(timeout=300)
        assert (said, errors, child.returncode) == (
            "\nThe board has stopped; the progress is kept. Next: remix board\n",
            "",
            0,
        )
    with started(tmp_path) as (child, address, port):
        os.killpg(child.pid, 0)
        child.kill()
        child.wait()
        with pytest.raises(ProcessLookupError):
            os.killpg(child.pid, 0)
        with pytest.raises(urllib.error.URLError):
            ask(address)
    assert list(tmp_path.iterdir()) == []


def test_messages_are_plain_json(board):
    """Lone surrogates and numbers without end cannot break a page: none is sent."""
    text = json.dumps(board[0].everything())
    assert text.isascii() and "NaN" not in text and "Infinity" not in text
