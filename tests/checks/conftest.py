"""A small course in a folder of its own, which the harness reads in place of the real one."""

import pytest

from tests.checks.small_course import write_course


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The day's folder of a small course that the harness finds."""
    day = write_course(tmp_path / "course")
    monkeypatch.setenv("REMIX_CHECKS", str(day.parent))
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / ".remix"))
    return day
