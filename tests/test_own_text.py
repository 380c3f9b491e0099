"""Day 2, part 1, on a text of the reader's own: a path in one cell, and what happens when the file will not do."""

import contextlib
import io
from pathlib import Path

import pytest

from remix_utils.checks.lesson import read_master
from remix_utils.errors import DataError
from remix_utils.tasks import stories

ROOT = Path(__file__).parents[1]
CODE = [
    cell.source for cell in read_master(ROOT / "solutions" / "day2_induction" / "part1_see.py") if cell.kind == "code"
]
PLACE = next(number for number, source in enumerate(CODE) if source.startswith("PATH = None"))


def run(path, cells, folder):
    """The names that the first cells leave, with this path in the place of None."""
    names = {"__name__": "reader"}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for number, source in enumerate(CODE[:cells]):
            exec(source.replace("None", repr(str(path)), 1) if number == PLACE else source, names)
    return names


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """What is predicted and measured stays in the test's own folder."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "kept"))


def test_the_whole_part_runs_on_a_text_of_ones_own(tmp_path):
    """Every cell, checks included; passages are of that text, and what is about random tokens stays what it is."""
    path = tmp_path / "book.txt"
    path.write_text("\n".join(stories.tell(6, seed=77)).upper(), encoding="utf-8")
    names = run(path, len(CODE), tmp_path)
    assert names["document"].isupper() and 8 <= len(names["passages"]) < 64
    assert names["losses"].mean() > 3  # nobody taught it capitals
    assert names["second_copy"].mean() < 0.3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8 text"),
        (b"Call me Ishmael. " * 20, r"The text has \d+ tokens, and 8 rows of 127 need 1016"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_will_not_do_is_refused_at_once(tmp_path, content, message):
    """Empty, binary, tiny or missing: the cell that reads it says which, and what to do."""
    path = tmp_path / "file.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message + r"(.|\n)*fix: "):
        run(path, PLACE + 2, tmp_path)
