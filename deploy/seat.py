"""One account at the Hub, as a browser has it: it signs in, starts its server, and runs code in a kernel there."""

from __future__ import annotations

import json
import pwd
import re
import time
import uuid
from pathlib import Path

import requests
import websocket

PATIENCE = 300  # seconds, on a machine that has other work


class TrialError(Exception):
    """Something that should hold does not."""


def expect(holds: bool, what: str) -> None:
    """Says what holds; TrialError where it does not."""
    if not holds:
        raise TrialError(f"it does not hold that {what}")
    print(f"ok  {what}", flush=True)


class Seat:
    """An account with its session at the Hub and one kernel."""

    def __init__(self, address: str, name: str, password: str):
        self.address, self.name, self.password = address, name, password
        self.home = Path(pwd.getpwnam(name).pw_dir)
        self.token, self.kernel = "", ""

    def can_sign_in(self) -> bool:
        return self._signed_in() is not None

    def _signed_in(self) -> requests.Session | None:
        """The session of the form that a browser shows, or None where the Hub refuses it."""
        session = requests.Session()
        page = session.get(f"{self.address}/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": _xsrf(page.text)}
        answer = session.post(f"{self.address}/hub/login", data=form, allow_redirects=False)
        return session if answer.status_code == 302 else None

    def open_server(self) -> None:
        """Signs in, lets the Hub start the account's server, and starts a kernel in it."""
        session = self._signed_in()
        if session is None:
            raise TrialError(f"{self.name} cannot sign in")
        page = session.get(f"{self.address}/hub/token").text
        asked = {"note": "trial"}
        headers = {"X-XSRFToken": _xsrf(page), "Referer": f"{self.address}/hub/token"}
        answer = session.post(f"{self.address}/hub/api/users/{self.name}/tokens", json=asked, headers=headers)
        self.token = _good(answer).json()["token"]
        _good(self.ask("POST", f"/hub/api/users/{self.name}/server"))
        end = time.monotonic() + PATIENCE
        while not self.ask("GET", f"/hub/api/users/{self.name}").json()["servers"].get("", {}).get("ready"):
            if time.monotonic() > end:
                raise TrialError(f"the server of {self.name} is not ready after {PATIENCE} s")
            time.sleep(0.5)
        self.kernel = _good(self.ask("POST", f"/user/{self.name}/api/kernels", json={})).json()["id"]

    def ask(self, method: str, path: str, **options) -> requests.Response:
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(method, self.address + path, headers=headers, timeout=PATIENCE, **options)

    def read(self, path: str) -> str:
        """Returns a file of the account's, through its server."""
        return json.dumps(_good(self.ask("GET", f"/user/{self.name}/api/contents/{path}")).json()["content"])

    def write(self, path: str, notebook: str) -> None:
        """Saves a notebook as JupyterLab does."""
        body = {"type": "notebook", "format": "json", "content": json.loads(notebook)}
        _good(self.ask("PUT", f"/user/{self.name}/api/contents/{path}", json=body))

    def shell(self, command: str, patience: float = PATIENCE) -> str:
        """Runs a command line in the account's kernel, in its home, and returns what it printed."""
        options = f"shell=True, cwd={str(self.home)!r}, capture_output=True, text=True"
        code = (
            "import subprocess\n"
            f"done = subprocess.run({command!r}, {options})\n"
            "print(done.stdout, end='')\n"
            "assert done.returncode == 0, done.stdout + done.stderr"
        )
        return self.run(code, patience=patience)

    def run(self, code: str, fails: bool = False, patience: float = PATIENCE) -> str:
        """Runs code in the kernel and returns its output; with `fails`, the error that it must end in."""
        channel = self.address.replace("http", "ws", 1) + f"/user/{self.name}/api/kernels/{self.kernel}/channels"
        line = websocket.create_connection(channel, header={"Authorization": f"token {self.token}"}, timeout=patience)
        try:
            output, error = _execute(line, code)
        finally:
            line.close()
        if fails and not error:
            raise TrialError(f"{self.name} could do this, and should not:\n{code}\n{output}")
        if error and not fails:
            raise TrialError(f"{self.name} could not do this:\n{code}\n{output}\n{error}")
        return error if fails else output


def _execute(line: websocket.WebSocket, code: str) -> tuple[str, str]:
    """What the code printed, and the error that it ended in, if any."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex, "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    line.send(json.dumps(message))
    output, error, waiting = [], "", {"reply", "idle"}
    while waiting:
        answer = json.loads(line.recv())
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        kind, content = answer["msg_type"], answer["content"]
        if kind == "stream":
            output.append(content["text"])
        elif kind == "execute_reply":
            waiting.discard("reply")
            if content["status"] != "ok":
                error = f"{content.get('ename')}: {content.get('evalue')}"
        elif kind == "status" and content["execution_state"] == "idle":
            waiting.discard("idle")
    return "".join(output), error


def _xsrf(page: str) -> str:
    """The token that the Hub's pages carry, in a form or for their scripts."""
    found = re.search(r'name="_xsrf" value="([^"]+)"', page) or re.search(r'xsrf_token: "([^"]+)"', page)
    if found is None:
        raise TrialError("the Hub's page carries no _xsrf token")
    return found[1]


def _good(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise TrialError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}")
    return answer
