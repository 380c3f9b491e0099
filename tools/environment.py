"""Build `.venv` from the lock, or mend it: what `make lab` and `make test` do first. Standard library only.

    python3 -m tools.environment

This is also the way without make; it ends with the command that comes next. A finished environment carries a stamp;
with the stamp in place this costs a few milliseconds and needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

from tools.alone import alone
from tools.installing import Progress, SetupError, count_packages, diagnose, pip_install, program

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 14)
SPACE = 3e9
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"


# What must be true before anything is built.


def require_python(version: tuple) -> None:
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        raise SetupError(
            f"This is Python {version[0]}.{version[1]}; the lock is for 3.11 to 3.14.",
            "install Python 3.11 (apt install python3.11, brew install python@3.11), then: make lab PYTHON=python3.11",
        )


def require_venv_module(find=importlib.util.find_spec) -> None:
    missing = [name for name in ("venv", "ensurepip") if find(name) is None]
    if missing:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"{sys.executable} comes without its module {' and '.join(missing)}, so it cannot make an environment.",
            f"apt install {package} (Debian, Ubuntu), or name another Python: make lab PYTHON=/path/to/python3",
        )


def require_space(root: Path, usage=shutil.disk_usage) -> None:
    free = usage(root).free
    if free < SPACE:
        raise SetupError(
            f"The environment needs about {SPACE / 1e9:.0f} GB, and the disk of {root} has {free / 1e9:.1f} GB left.",
            "free some space, or clone the repository onto a larger disk.",
        )


# What is there already.


def digest(root: Path) -> str:
    """Changes when the lock or the package's metadata do."""
    parts = [(root / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def condition(venv: Path, wanted: str) -> str:
    """ready; absent; outdated (install on top of it); or half-built (start afresh).

    An environment someone made by hand, without a stamp, is outdated if its pip runs: we add to it and delete nothing.
    """
    if not venv.exists():
        return "absent"
    if not os.access(program(venv, "python"), os.X_OK):
        return "half-built"
    try:
        stamp = json.loads((venv / "remix.json").read_text())
    except FileNotFoundError:
        stamp = {"lock": None, "folder": str(venv), "packages": 0}
    except ValueError:
        return "half-built"
    if (
        not isinstance(stamp, dict)
        or stamp.get("folder") != str(venv)
        or count_packages(venv) < stamp.get("packages", 0)
        or stamp.get("building")
    ):
        return "half-built"
    if stamp.get("lock") == wanted:
        return "ready"
    pip = subprocess.run([program(venv, "python"), "-m", "pip", "--version"], capture_output=True)
    return "half-built" if pip.returncode else "outdated"


def stamp(venv: Path, **facts) -> None:
    """Written in one step, so that a kill leaves the old stamp or the new one."""
    new = venv / "remix.json.new"
    new.write_text(json.dumps({"folder": str(venv), **facts}))
    os.replace(new, venv / "remix.json")


# Building.


def answers_at(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/torch/", timeout=3) as reply:
            return reply.status == 200
    except (OSError, HTTPException):
        return False


def torch_index(environ=os.environ, system=sys.platform, probe=answers_at, patience=3) -> str | None:
    """PyTorch's index of builds without CUDA, if it answers in 3 seconds; REMIX_TORCH_INDEX names another, or none."""
    chosen = environ.get("REMIX_TORCH_INDEX")
    if chosen is not None:
        return chosen if chosen not in ("", "none") else None
    if system != "linux":
        return None  # elsewhere the ordinary build is small
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(probe(TORCH_INDEX)), daemon=True)
    thread.start()
    thread.join(patience)  # a lookup of the name may hang for longer than any socket timeout
    return TORCH_INDEX if answers and answers[0] else None


def build(root: Path, found: str) -> None:
    """Make the environment, install the lock and this package, and stamp it."""
    venv, wanted = root / ".venv", digest(root)
    if found != "outdated":
        clear(venv)
        stamp(venv, building=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True)
        if made.returncode:
            (root / "build").mkdir(exist_ok=True)
            (root / "build" / "pip.log").write_text(made.stdout + made.stderr)
            raise diagnose(made.stdout + made.stderr, root)
    stamp(venv, building=True)
    lock = dict(re.findall(r"^([\w.-]+)(==\S+)", (root / "requirements.txt").read_text(), re.MULTILINE))
    index = torch_index()
    if index:
        print(f"  torch without CUDA, from {index}", flush=True)
        try:
            pip_install(root, "--no-deps", "--index-url", index, f"torch{lock['torch']}")
        except SetupError:
            print("  that index did not serve it; taking the ordinary build", flush=True)
    pip_install(root, "-r", "requirements.txt", progress=Progress(venv, len(lock)))
    # The lock holds setuptools, so that this last step asks nobody for anything.
    pip_install(root, "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp(venv, lock=wanted, packages=count_packages(venv))
    fetch_model(venv)


def clear(venv: Path) -> None:
    """Make way for a new environment; a link may lead to a disk with more space, and is kept."""
    if venv.is_symlink() and venv.is_dir():
        if any(venv.iterdir()):
            raise SetupError(
                f"{venv} is a link to {venv.resolve()}, which holds something that cannot be used.",
                "empty that folder, or remove the link; then type the same command again.",
            )
        return
    shutil.rmtree(venv, ignore_errors=True) if venv.is_dir() else venv.unlink(missing_ok=True)
    venv.mkdir()


def fetch_model(venv: Path) -> None:
    """The lessons run without the real language model, on those that ship, so that a failure stops nothing."""
    remix = program(venv, "remix")
    if os.path.exists(remix):
        subprocess.run([remix, "model", "smollm2"])


BEGIN = {
    "absent": "Setting up .venv from the lock; this takes a few minutes, once.",
    "half-built": ".venv is half-built, or was moved here: building it afresh.",
    "outdated": "The lock has changed: bringing .venv up to date.",
}


def prepare(root: Path) -> None:
    """Bring the environment of this repository to what the lock says."""
    require_python(sys.version_info)
    found = condition(root / ".venv", digest(root))
    if found == "ready":
        return
    try:
        with alone(root):
            started = time.time()
            require_venv_module()
            if found != "outdated":
                require_space(root)
            print(BEGIN[found], flush=True)
            build(root, found)
    except PermissionError as error:
        raise SetupError(f"{error.filename} cannot be written.", f"sudo chown -R $USER {root}") from error
    print(f"Set up in {time.time() - started:.0f} s; from now on no network is needed.", flush=True)


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        prepare(ROOT)
        if "--quiet" not in arguments:  # make knows what comes next
            print(f"The environment is ready. Next: {program(ROOT / '.venv', 'remix')} lab")
    except KeyboardInterrupt:
        print("\nStopped. Nothing is broken: type the same command again to go on.", file=sys.stderr)
        return 130
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
