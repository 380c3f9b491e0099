"""Set-up without make, and on systems that lack what only Linux has."""

import signal
from types import SimpleNamespace

import pytest

from tests.test_environment import condition
from tools import alone, environment, installing
from tools.environment import SetupError


@pytest.mark.parametrize(("arguments", "said"), [([], True), (["--quiet"], False)])
def test_without_make_one_is_told_what_comes_next(arguments, said, clone, monkeypatch, capsys):
    """The command in the new environment, whether it was built just now or before; make goes on by itself."""
    monkeypatch.setattr(environment, "ROOT", clone)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for _ in range(2):
        assert environment.main(arguments) == 0
        assert (f"Next: {clone}/.venv/bin/remix lab\n" in capsys.readouterr().out) == said


def test_programs_and_packages_are_found_on_windows_too(tmp_path, monkeypatch):
    """Where Python's own venv puts them there."""
    monkeypatch.setattr(installing.sysconfig, "get_path", lambda name, scheme, vars: f"{vars['base']}/{name.title()}")
    monkeypatch.setattr(installing.os, "name", "nt")
    assert installing.program(tmp_path, "remix") == f"{tmp_path}/Scripts/remix.exe"
    monkeypatch.setattr(installing.os, "name", "posix")
    (tmp_path / "Lib" / "site-packages" / "numpy-2.4.6.dist-info").mkdir(parents=True)
    assert installing.count_packages(tmp_path) == 1


@pytest.mark.parametrize("held", [True, False])
def test_set_ups_do_not_meet_on_windows_either(held, clone, monkeypatch):
    """Where there is no fcntl the lock is msvcrt's, and where there is neither, set-up still works."""

    def locking(file, mode, size):
        if held:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(alone, "fcntl", None)
    environment.prepare(clone)
    (clone / "requirements.txt").write_text("torch==2.13.0\n")
    monkeypatch.setattr(alone, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    if held:
        with pytest.raises(SetupError, match="Another set-up is at work"):
            environment.prepare(clone)
    else:
        environment.prepare(clone)
        assert condition(clone) == "ready"
