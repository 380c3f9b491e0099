"""pip in an environment: run it, follow it, and put its failures in words. Standard library only."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path

NETWORK = re.compile(
    r"Failed to establish a new connection|NewConnectionError|name resolution|getaddrinfo|nodename nor servname"
    r"|Name or service not known|Network is unreachable|No route to host|Connection refused|ConnectTimeout"
    r"|Read timed out|ReadTimeoutError|ProxyError|Cannot connect to proxy|Connection (aborted|reset)"
)


class SetupError(Exception):
    """Why set-up cannot go on, and one way out."""

    def __init__(self, fact: str, fix: str):
        super().__init__(f"{fact}\n  fix: {fix}")


def program(venv: Path, name: str) -> str:
    """Where an environment keeps a program, on this system."""
    folder = sysconfig.get_path("scripts", "venv", vars={"base": str(venv)})
    return os.path.join(folder, name + (".exe" if os.name == "nt" else ""))


def count_packages(venv: Path) -> int:
    places = ("lib/python3*/site-packages", "Lib/site-packages")  # the second one is Windows'
    return len({found.name for place in places for found in venv.glob(f"{place}/*.dist-info")})


def diagnose(log: str, root: Path) -> SetupError:
    """What pip's last words mean."""
    if "No space left on device" in log:
        size = "8 GB (this torch comes with CUDA)" if "nvidia" in log else "3 GB"
        return SetupError(
            f"The disk filled up while packages were installed in {root / '.venv'}.",
            f"free about {size}; TMPDIR and pip's cache count too (pip cache purge). Then type the same command again.",
        )
    if NETWORK.search(log):
        return SetupError(
            "The package index cannot be reached, and the first set-up needs it.",
            "check the connection (behind a proxy: export HTTPS_PROXY=...), then type the same command again.",
        )
    missing = re.search(r"No matching distribution found for (\S+)", log)
    if missing:
        return SetupError(
            f"The package index has no {missing[1]} for Python {platform.python_version()} on {platform.machine()}.",
            "use 64-bit Linux (glibc 2.28 or newer), Windows, or macOS 14 on Apple silicon; if this is one of them, "
            "another Python: make lab PYTHON=python3.11",
        )
    last = "\n".join("    " + line for line in log.strip().splitlines()[-5:])
    return SetupError(
        f"pip stopped; the end of what it said (all of it is in build/pip.log):\n{last}",
        "rm -rf .venv, then type the same command again.",
    )


class Progress:
    """One line that moves on a terminal; a line every ten seconds in a log."""

    def __init__(self, venv: Path, total: int, out=sys.stdout):
        self.venv, self.total, self.out = venv, total, out
        self.started, self.shown, self.collected, self.installing, self.last = (
            time.time(),
            0.0,
            0,
            0,
            "",
        )

    def read(self, line: str) -> None:
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            self.collected += 1
            self.last = line.split(": ")[-1].removeprefix("Collecting ").split()[0]
        elif line.startswith("Installing collected packages: "):
            self.installing = line.count(",") + 1
            self.already = count_packages(self.venv)

    def show(self) -> None:
        seconds, terminal = time.time() - self.started, self.out.isatty()
        if seconds - self.shown < (0.2 if terminal else 10):
            return
        self.shown = seconds
        if self.installing:
            text = f"installing {count_packages(self.venv) - self.already} of {self.installing} packages"
        else:
            text = f"fetching {self.collected} of {self.total} packages: {self.last}"
        line = f"  {text}, {seconds:.0f} s"
        self.out.write(f"\r{line[:100]:100}" if terminal else f"{line}\n")
        self.out.flush()

    def done(self) -> None:
        if self.out.isatty():
            self.out.write(f"\r{'':100}\r")


@contextmanager
def held_interrupts():
    """Keeps Ctrl-C until the end of the block: an interrupted start would leave a child that nobody knows."""
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def pip_install(root: Path, *arguments: str, progress: Progress | None = None) -> None:
    """Run pip in the environment, follow it, and say what went wrong in words."""
    log = root / "build" / "pip.log"
    log.parent.mkdir(exist_ok=True)
    command = [
        program(root / ".venv", "python"),
        "-m",
        "pip",
        "install",
        "--no-input",
        "--progress-bar",
        "off",
    ]
    environ = {
        **os.environ,
        "PIP_USER": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
    }
    child = None
    with log.open("w") as sink:
        try:
            with held_interrupts():
                child = subprocess.Popen(
                    [*command, *arguments], cwd=root, env=environ, stdout=sink, stderr=subprocess.STDOUT
                )
            with log.open() as source:
                while child.poll() is None:
                    for line in source if progress else ():
                        progress.read(line)
                    if progress:
                        progress.show()
                    time.sleep(0.1)
        finally:
            if child:
                child.kill()
                child.wait()
            if progress:
                progress.done()
    if child.returncode:
        raise diagnose(log.read_text(errors="replace"), root)
