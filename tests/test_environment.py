"""Set-up: from nothing to an environment, and what it says when that cannot be."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import alone, environment
from tools.environment import SetupError

ROOT = environment.ROOT
PATIENCE = 600  # seconds, for a machine that has other work


def condition(root: Path) -> str:
    return environment.condition(root / ".venv", environment.digest(root))


def says(error, fact: str, fix: str) -> None:
    """The message names the fact, and its last line is the fix."""
    message = str(error.value if hasattr(error, "value") else error)
    assert re.search(fact, message)
    assert re.search(fix, message.split("\n  fix: ")[1])


def test_from_nothing_to_ready(clone, capsys):
    """Set-up builds, stamps, and says how long it took."""
    environment.prepare(clone)
    assert condition(clone) == "ready"
    printed = capsys.readouterr().out
    assert "takes a few minutes" in printed and "no network is needed" in printed


def test_the_second_time_starts_no_program(clone, monkeypatch, capsys):
    """With the stamp in place, set-up reads two files and says nothing."""
    environment.prepare(clone)
    capsys.readouterr()
    monkeypatch.setattr(subprocess, "Popen", None)  # also behind subprocess.run
    environment.prepare(clone)
    assert capsys.readouterr().out == ""


def test_a_new_lock_is_installed_on_top(clone, capsys):
    """When the lock changes, what is installed stays and the rest is added."""
    environment.prepare(clone)
    (clone / ".venv" / "mine").touch()
    (clone / "requirements.txt").write_text("numpy==2.4.7\ntorch==2.13.0\n")
    assert condition(clone) == "outdated"
    environment.prepare(clone)
    assert condition(clone) == "ready" and (clone / ".venv" / "mine").exists()
    assert "lock has changed" in capsys.readouterr().out


def test_an_environment_made_by_hand_is_kept(clone):
    """A working .venv without our stamp is added to, never deleted."""
    subprocess.run([sys.executable, "-m", "venv", str(clone / ".venv")], check=True)
    assert condition(clone) == "outdated"


def _no_python(venv):
    (venv / "bin/python").unlink()


def _interrupted(venv):
    environment.stamp(venv, building=True)


def _torn_stamp(venv):
    (venv / "remix.json").write_text('{"folder": ')


def _stamp_of_another_kind(venv):
    (venv / "remix.json").write_text("[]")


def _moved(venv):
    environment.stamp(Path(venv), lock="x")
    (venv / "remix.json").write_text((venv / "remix.json").read_text().replace(str(venv), "/elsewhere/.venv"))


def _package_gone(venv):
    (venv / "lib/python3.11/site-packages/numpy-2.4.6.dist-info").rmdir()


def _pip_broken(venv):
    (venv / "remix.json").unlink()
    (venv / "bin/python").write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.parametrize(
    "damage", [_no_python, _interrupted, _torn_stamp, _stamp_of_another_kind, _moved, _package_gone, _pip_broken]
)
def test_a_half_built_environment_is_rebuilt(clone, damage, capsys):
    """Whatever is missing from .venv, the next set-up says so and ends with a sound one."""
    environment.prepare(clone)
    damage(clone / ".venv")
    assert condition(clone) == "half-built"
    environment.prepare(clone)
    assert condition(clone) == "ready"
    assert "half-built" in capsys.readouterr().out


def test_a_link_to_another_disk_is_kept(clone):
    """An empty folder there is filled; one with other things in it is neither emptied nor replaced."""
    disk = clone.parent / "disk"
    disk.mkdir()
    (clone / ".venv").symlink_to(disk)
    environment.prepare(clone)
    assert condition(clone) == "ready" and (disk / "remix.json").exists()
    _interrupted(disk)
    with pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, "is a link to .*disk, which holds something", "empty that folder, or remove the link")
    assert (clone / ".venv").is_symlink() and (disk / "bin").exists()


def test_ctrl_c_is_one_sentence_and_no_harm(clone):
    """Interrupted in the middle of pip, set-up says one sentence, leaves no child, and builds afresh the next time."""
    code = f"""if True:
        import sys; from pathlib import Path; from tools import alone, environment
        sys.executable = {sys.executable!r}; environment.ROOT = Path({str(clone)!r}); sys.exit(environment.main([]))"""
    real = os.path.join(sys.prefix, "bin", "python")
    setup = subprocess.Popen(
        [real, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PIP_DOES": "echo $$ > pid; exec sleep 60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.time() + PATIENCE
    while not ((clone / "pid").exists() and (clone / "pid").read_text().strip()) and time.time() < deadline:
        time.sleep(0.02)
    setup.send_signal(signal.SIGINT)
    _, errors = setup.communicate(timeout=PATIENCE)
    assert setup.returncode == 130
    assert errors.strip() == "Stopped. Nothing is broken: type the same command again to go on."
    with pytest.raises(ProcessLookupError):
        os.kill(int((clone / "pid").read_text()), 0)
    assert condition(clone) == "half-built"


@pytest.mark.parametrize("version", [(3, 10, 4), (3, 15, 0), (2, 7, 18)])
def test_a_wrong_python_is_named(version):
    """Too old or too new: the message has the version, the range, and how to name another."""
    with pytest.raises(SetupError) as error:
        environment.require_python(version)
    says(error, rf"Python {version[0]}\.{version[1]}; the lock is for 3.11 to 3.14", "make lab PYTHON=")


@pytest.mark.parametrize(
    ("there", "named", "told"),
    [
        (None, [], "No Python 3.11 to 3.14 was found here."),
        ("3.10.13", [], "No Python 3.11 to 3.14 was found here, only python3 (Python 3.10.13)."),
        ("3.10.13", ["PYTHON=python3"], "No Python 3.11 to 3.14 was found here, only python3 (Python 3.10.13)."),
    ],
)
def test_make_names_a_missing_python(tmp_path, there, named, told):
    """Where no Python of the right age is found, make says which there is; one that is named is the only one tried."""
    if there:
        answer = f"echo Python {there}; echo and a licence"
        (tmp_path / "python3").write_text(f"#!/bin/sh\n[ $1 = --version ] || exit 1\n{answer}\n")
        (tmp_path / "python3").chmod(0o755)
    if named:
        (tmp_path / "python3.11").symlink_to(sys.executable)  # it would do, and is not asked
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["/usr/bin/make", "-C", str(ROOT), "test", *named]
    run = subprocess.run(command, env={**clean, "PATH": str(tmp_path)}, capture_output=True, text=True)
    assert run.returncode != 0
    assert told in run.stdout and "fix: install Python 3.11" in run.stdout
    assert "make test PYTHON=/path/to/python3.11" in run.stdout


def test_a_python_without_venv_is_named():
    """Debian's Python without its venv package: the message has the package to install."""
    with pytest.raises(SetupError) as error:
        environment.require_venv_module(find=lambda name: None if name == "ensurepip" else object())
    says(error, "without its module ensurepip", rf"apt install python3\.{sys.version_info[1]}-venv")


def test_a_full_disk_is_seen_before_anything_is_built(clone, monkeypatch):
    """Less than 3 GB free: the message has both numbers, and .venv is not begun."""
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda root: SimpleNamespace(free=1.24e9))
    monkeypatch.setattr(environment.require_space, "__defaults__", (environment.shutil.disk_usage,))
    with pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, "about 3 GB, and the disk of .* has 1.2 GB left", "free some space")
    assert not (clone / ".venv").exists()


PIP = {
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": (
        "The disk filled up",
        "free about 3 GB",
    ),
    "Downloading nvidia_cublas\\nERROR: [Errno 28] No space left on device": ("The disk filled up", "8 GB .*CUDA"),
    "[Errno -3] Temporary failure in name resolution\\nERROR: No matching distribution found for a": (
        "index cannot be reached",
        "check the connection",
    ),
    "ProxyError(Cannot connect to proxy.)": ("index cannot be reached", "HTTPS_PROXY"),
    "ReadTimeoutError: Read timed out.": ("index cannot be reached", "check the connection"),
    "ERROR: No matching distribution found for torch==2.13.0": (
        "has no torch==2.13.0 for Python",
        "64-bit Linux .* PYTHON=python3.11",
    ),
    "ERROR: something new": ("pip stopped.*\n    ERROR: something new", "rm -rf .venv"),
}


@pytest.mark.parametrize("words", PIP)
def test_pips_failures_are_put_in_words(clone, words, monkeypatch):
    """What pip says last becomes a fact and a fix, and the environment counts as half-built."""
    monkeypatch.setenv("PIP_DOES", f"printf '%b' '{words}'; exit 1")
    with pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, *PIP[words])
    assert condition(clone) == "half-built"


def test_an_environment_that_cannot_be_made_is_told(clone):
    """Where Python's own venv fails, its last words are shown and all are kept; the next set-up starts afresh."""
    Path(sys.executable).write_text("#!/bin/sh\necho ensurepip died; exit 1\n")
    with pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, "ensurepip died", "type the same command again")
    assert (clone / "build" / "pip.log").read_text() == "ensurepip died\n"
    assert condition(clone) == "half-built"


def test_two_set_ups_do_not_meet(clone):
    """While one set-up is at work, a second one says so and touches nothing."""
    with alone.alone(clone), pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, "Another set-up is at work", "wait")
    assert not (clone / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_named(clone, monkeypatch):
    """A repository cloned by root: the message has the place and the command that mends it."""

    def refuse(root, found):
        raise PermissionError(13, "Permission denied", str(root / ".venv"))

    monkeypatch.setattr(environment, "build", refuse)
    with pytest.raises(SetupError) as error:
        environment.prepare(clone)
    says(error, r"clone/\.venv cannot be written", "chown")


def test_pytorchs_own_index_is_a_convenience():
    """It is asked for on Linux only, for a limited time, and a variable overrides it."""
    ask = environment.torch_index
    assert ask({}, "linux", lambda url: True) == environment.TORCH_INDEX
    assert ask({}, "linux", lambda url: False) is None
    assert ask({}, "linux", lambda url: time.sleep(1) or True, patience=0.05) is None
    assert ask({}, "darwin", lambda url: True) is None
    assert ask({"REMIX_TORCH_INDEX": "none"}, "linux", lambda url: True) is None
    assert ask({"REMIX_TORCH_INDEX": "https://mirror/cpu"}, "darwin", lambda url: False) == "https://mirror/cpu"


def test_progress_is_shown_while_pip_works(clone, monkeypatch):
    """A reader sees how many packages have been fetched and installed, and the seconds."""
    shown = []
    out = SimpleNamespace(isatty=lambda: True, write=shown.append, flush=lambda: None)
    progress = environment.Progress(clone / ".venv", 137, out)
    progress.shown = -1
    progress.read("Collecting numpy==2.4.6 (from -r requirements.txt)\n")
    progress.show()
    progress.shown = -1
    progress.read("Installing collected packages: numpy, torch\n")
    progress.show()
    assert "fetching 1 of 137 packages: numpy==2.4.6, 0 s" in shown[0]
    assert "installing 0 of 2 packages, 0 s" in shown[1]
