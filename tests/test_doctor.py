"""The doctor: every finding by itself, also in an installation that is broken, and a fix with every bad one."""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from remix_utils import cli
from remix_utils.classroom import commands
from remix_utils.classroom.course import find_course
from remix_utils.classroom.doctor import installation, machine, weights
from remix_utils.classroom.doctor.examination import examine, examine_quickly
from remix_utils.classroom.doctor.finding import Finding, findings_of
from remix_utils.classroom.doctor.installation import check_files, check_grader, check_lock, check_python, read_lock
from remix_utils.classroom.doctor.machine import check_port, check_sandbox, check_writing
from remix_utils.classroom.doctor.weights import WEIGHTS, check_smollm2, check_weights

ROOT = Path(__file__).parents[1]
MODELS = ["digits-a", "digits-b", "parens", "parens-planted", "induction-2l", "ioi-small", "ioi-small-b"]
LOCK = """# the lock
numpy==2.4.6
torch==2.13.0
absent==1.0
torn==2.0
winonly==1 ; sys_platform == 'win32'
"""


def bad(findings) -> list[Finding]:
    return [finding for finding in findings if isinstance(finding, Finding) and not finding.good]


def test_this_installation_is_sound(tmp_path, monkeypatch):
    """Nothing is to be mended where the tests run: every package imports and every model makes a forward pass."""
    # As the remix command does, since nobody has to activate the environment.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    found = [each for each in examine([tmp_path]) if isinstance(each, Finding)]
    assert bad(found) == []
    facts = "\n".join(finding.fact for finding in found)
    for model in MODELS:
        assert f"{model}: a forward pass gives " in facts


def test_the_doctor_works_where_there_is_no_course(tmp_path, monkeypatch, capsys):
    """It then asks whether the folder in which one stands can be written; so are the shared one and one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REMIX_WORK", raising=False)
    monkeypatch.delenv("REMIX_FOLDER", raising=False)
    monkeypatch.setattr(commands.course, "find_course", lambda: find_course(clone=tmp_path))
    monkeypatch.setattr(commands, "examine", examine_quickly)
    assert cli.main(["doctor"]) == 0
    assert f"  ok   {tmp_path} can be written" in capsys.readouterr().out
    (tmp_path / "cohort").mkdir()
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "cohort"))
    assert cli.main(["doctor"]) == 0
    assert f"  ok   {tmp_path / 'cohort'} can be written" in capsys.readouterr().out


def test_a_version_that_is_not_the_locks_is_named(tmp_path):
    """Missing and other versions are listed, with the command that installs the lock; markers are honoured."""
    lock = tmp_path / "requirements.txt"
    lock.write_text(LOCK)

    def installed(name: str):
        if name == "absent":
            raise metadata.PackageNotFoundError(name)
        return {"numpy": "2.4.5", "torch": "2.13.0+cpu", "torn": None}[name]

    finding = check_lock(tmp_path, installed)
    assert finding.fact == (
        "3 of 4 packages are not as locked: numpy is 2.4.5, absent is missing, the metadata of torn cannot be read"
    )
    assert finding.fix.endswith(f"-m pip install -r {lock}")


def test_the_lock_is_read_without_packaging(tmp_path, monkeypatch):
    """By the copy in pip; without both, lines with a marker are passed over."""
    (tmp_path / "requirements.txt").write_text(LOCK)
    for hidden in (("packaging.markers",), ("packaging.markers", "pip._vendor.packaging.markers")):
        for name in hidden:
            monkeypatch.setitem(sys.modules, name, None)
        assert [name for name, _ in read_lock(tmp_path)] == ["numpy", "torch", "absent", "torn"]


# Ways in which a package is broken.
BROKEN = {
    "missing": "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)",
    "an error": "raise RuntimeError('torn wheel')",
    "fatal": "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
}
CASES = [("torch", "fatal"), ("numpy", "an error"), ("packaging", "missing")]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_doctor_works_where_a_package_is_broken(name, kind, tmp_path):
    """It names the package and how to install it again, finds all else, and never ends in a traceback."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(BROKEN[kind])
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "remix_utils", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    said = f"the import of {name} ends Python" if kind == "fatal" else f"{name} cannot be imported"
    (place,) = [place for place, line in enumerate(lines) if line.startswith(f"  BAD  {said}")]
    assert f"pip install --force-reinstall --no-deps {name}==" in lines[place + 1]
    for fine in ("packages, as locked", "weights and tokenizers, as on their cards", "can be written", "nbgrader 0"):
        assert any(line.startswith("  ok") and fine in line for line in lines), fine
    ran = [model for model in MODELS if f"  ok   {model}: a forward pass gives" in done.stdout]
    assert ran == ([] if name in ("torch", "numpy") else MODELS)
    assert "of these need mending; then: remix doctor" in lines[-1]


def test_files_that_are_gone_are_found_though_the_metadata_stay(tmp_path, monkeypatch):
    """As after a torn installation or a full disk: the package, how many files, one of them, and its own fix."""
    info = tmp_path / "halfgone-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halfgone\nVersion: 1.0\n")
    (info / "RECORD").write_text("halfgone/__init__.py,,\nhalfgone/core.py,,\nhalfgone/__pycache__/a.pyc,,\n")
    (tmp_path / "halfgone").mkdir()
    (tmp_path / "halfgone" / "__init__.py").touch()
    (tmp_path / "requirements.txt").write_text("halfgone==1.0\nabsent==2.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(metadata.Distribution, "files", [])  # as newer Pythons have it: without those that are gone
    (finding,) = check_files(tmp_path)
    assert finding.fact == "1 of 2 files of halfgone are gone, such as halfgone/core.py"
    assert finding.fix.endswith("--no-deps halfgone==1.0")
    (tmp_path / "halfgone" / "core.py").touch()
    (finding,) = check_files(tmp_path)
    assert finding == Finding("2 files of these packages are where they were installed")


def _flip(path: Path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


SHIPPED = sorted(path.name for path in WEIGHTS.glob("*") if path.suffix != ".toml")
CARDS = sorted(path.stem for path in WEIGHTS.glob("*.toml") if (WEIGHTS / f"{path.stem}.safetensors").exists())


@pytest.mark.parametrize("damage", [_flip, Path.unlink], ids=["one bit", "missing"])
def test_every_file_beside_the_weights_is_looked_at(damage, tmp_path):
    """One flipped bit in, or the absence of, any file of weights or of a tokenizer is one bad finding that names it."""
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    assert len(SHIPPED) > 18
    for name in SHIPPED:
        damage(folder / name)
        (finding,) = bad(check_weights(folder))
        assert name in finding.fact and finding.fix
        shutil.copy(WEIGHTS / name, folder)
    assert bad(check_weights(folder)) == []


def test_a_card_that_cannot_be_read_is_a_finding(tmp_path):
    """And so is a folder without any; a missing card is found by the model's forward pass."""
    (tmp_path / "a.toml").write_text("name = ")
    assert ["card a.toml cannot be read" in each.fact for each in check_weights(tmp_path)] == [True, False]
    assert "no card of a model" in next(iter(check_weights(tmp_path / "none"))).fact
    broken = tmp_path / "remix_utils"
    shutil.copytree(ROOT / "remix_utils", broken, ignore=shutil.ignore_patterns("__pycache__", "*.step-*"))
    (broken / "models" / "weights" / "parens.toml").unlink()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "remix_utils.classroom.doctor.trial"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["fact"] for each in said if each.get("fix")] == [
        next(each["fact"] for each in said if "'parens': its card cannot be read" in each.get("fact", ""))
    ]


def test_a_damaged_smollm2_is_found(tmp_path, monkeypatch):
    """With the commands that fetch it again; where it is not here, that is no fault."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert check_smollm2().good and "is not here" in check_smollm2().fact
    from remix_utils.models.smollm2 import kept

    kept().parent.mkdir(parents=True)
    kept().write_bytes(b"GGUF")
    assert "remix model smollm2 --remove" in check_smollm2().fix


def test_a_folder_that_cannot_be_written_has_a_fix(tmp_path):
    """Where notebooks cannot be saved, the doctor says so before the Lab does; nothing is left behind."""
    assert check_writing(tmp_path).good and list(tmp_path.iterdir()) == []
    finding = check_writing(tmp_path / "absent")
    assert "cannot be written: No such file" in finding.fact and "go to a folder" in finding.fix


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, so a full disk was not tried")
def test_a_full_disk_is_found_though_a_file_can_be_opened(tmp_path, monkeypatch):
    """The bytes of a notebook are written and synced, not one empty file."""
    (tmp_path / f".remix-doctor-{os.getpid()}").symlink_to("/dev/full")
    finding = check_writing(tmp_path)
    assert "No space left on device" in finding.fact and finding.fix.startswith("free space on the disk")
    assert list(tmp_path.iterdir()) == []


def test_a_grader_without_alembic_has_a_fix(monkeypatch):
    """nbgrader runs alembic by name: when PATH lacks it, the fix is the PATH that has it."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    finding = check_grader()
    assert "alembic" in finding.fact and finding.fix.startswith("export PATH=")


def test_a_python_outside_the_lock_has_a_fix():
    """The doctor knows the same range of Pythons as set-up."""
    assert not check_python((3, 10, 1)).good
    assert not check_python((3, 15, 0)).good


def test_no_sandbox_is_no_fault(monkeypatch):
    """Participants do not grade, and an instructor reads which sandbox there would be."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert check_sandbox().good and "only where submissions are graded" in check_sandbox().fact
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/false")
    assert "no sandbox" in check_sandbox().fact
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/true" if name == "unshare" else None)
    assert "locked up in namespaces" in check_sandbox().fact


def test_an_examination_that_fails_is_a_finding_and_the_next_one_runs(monkeypatch, tmp_path):
    """Whatever it raises."""
    (finding,) = findings_of("the lock", lambda: {}["gone"])
    assert finding.fact == "the lock cannot be examined: KeyError, 'gone'" and not finding.good
    for room, name in ((installation, "read_lock"), (weights, "files_of"), (machine, "_works")):
        monkeypatch.setattr(room, name, lambda *_: 1 / 0)
    found = list(examine_quickly([tmp_path]))
    assert [each.fact for each in bad(found)] == [
        "the lock cannot be examined: ZeroDivisionError, division by zero",
        "the weights cannot be examined: ZeroDivisionError, division by zero",
    ]
    assert found[-1] == check_writing(tmp_path)


def test_a_taken_port_is_no_fault_while_another_is_free(listener):
    """The next port is taken, and the finding says which; when all are taken there is a fix."""
    finding = check_port(listener, 50)
    assert finding.good and f"({listener} is taken)" in finding.fact
    assert "jupyter server stop" in check_port(listener, 1).fix
