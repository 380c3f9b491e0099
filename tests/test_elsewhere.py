"""Nothing that participants use needs what only Linux has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = [path for folder in ("remix_utils", "tools") for path in sorted((ROOT / folder).rglob("*.py"))]


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def test_what_is_hidden_is_missed():
    """What the tests below rely on: our code does not find these modules, and libraries do."""
    code = """
import tests.linux_hidden, signal, sys, types
import tempfile, multiprocessing, getpass
ours = {"__file__": str(tests.linux_hidden.ROOT / "remix_utils" / "x.py")}
for name in sorted(tests.linux_hidden.MODULES):
    try:
        exec(f"import {name}", ours)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{name} was found")
assert not hasattr(signal, "setitimer")
"""
    run("-c", code)


def test_every_room_can_be_imported():
    """Without these modules, also those of set-up."""
    names = [path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in ROOMS]
    wanted = [name for name in names if not name.endswith(("__init__", "__main__"))]
    run("-c", f"import importlib, tests.linux_hidden\nfor name in {wanted!r}: importlib.import_module(name)")


CORE = {
    "tests/checks/test_predictions.py": "beside or last_guess or lose_nothing or once_and_work",
    "tests/checks/test_progress.py": "written or order",
    "tests/checks/test_harness.py": "verdict or right",
    "tests/test_start.py": "copied or touches or opens",
    "tests/test_environment.py": "nothing_to_ready or half_built",
}


@pytest.mark.parametrize("path", CORE)
def test_the_core_of_the_suite_holds(path):
    """Checks, predictions, progress, folders of one's own and set-up, with these modules hidden."""
    done = run("-m", "pytest", "-q", "-p", "tests.linux_hidden", "-p", "no:cacheprovider", path, "-k", CORE[path])
    assert " passed" in done.stdout and "skipped" not in done.stdout
