"""nbgrader's gradebook, written from the judge's results by one process, in one transaction."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.orm import scoped_session, sessionmaker

from remix_utils.checks.bundle import Bundle

COURSE = "remix"  # as in nbgrader_config.py
PATIENCE = 60.0  # seconds to wait for somebody else who writes, such as Formgrader
WRITTEN = {"cell_type": "markdown", "grade": True, "solution": True, "locked": False, "task": False}
CHECKED = {"cell_type": "code", "grade": True, "solution": False, "locked": True, "task": False}


@contextlib.contextmanager
def whole_or_nothing(path: Path) -> Iterator[Gradebook]:
    """The gradebook to write into; all is written at the end, in one transaction, or nothing.

    The file stays the same one, since an open Formgrader keeps its connection to it: marks that
    are given there would go to a file that was replaced. nbgrader commits after each entry; here
    these commits release savepoints inside the one transaction.
    """
    if not path.exists():
        _make_empty(path)
    with contextlib.closing(Gradebook(f"sqlite:///{path}", COURSE)) as book:
        engine = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": PATIENCE, "isolation_level": None}
        )
        with engine.connect() as connection:
            event.listen(connection, "begin", _begin)
            with connection.begin():
                joined = sessionmaker(connection, join_transaction_mode="create_savepoint")
                book.db.remove()
                book.db = scoped_session(joined)
                yield book
                book.db.remove()
        engine.dispose()


def _begin(connection: Connection) -> None:
    """Locks the file from the start; sqlite3 itself would begin at the first change."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_empty(path: Path) -> None:
    """A gradebook with its tables, put in its place when it is whole; one that is there stays."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with _alembic_found():
        Gradebook(f"sqlite:///{new}", COURSE).close()
    with contextlib.suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


@contextlib.contextmanager
def _alembic_found() -> Iterator[None]:
    """nbgrader runs alembic by its name, also where this environment was never activated."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def write(
    path: Path,
    day: str,
    bundles: Sequence[Bundle],
    results: Sequence[dict],
    times: Mapping[str, str],
) -> None:
    """Writes the scores of a day; marks that people have given stay as they are.

    `times` says when each student handed in. Formgrader takes a submission with another time for
    one that is not graded yet.
    """
    with whole_or_nothing(path) as book:
        book.update_or_create_assignment(day)
        for bundle in bundles:
            _describe(book, day, bundle)
        names = {bundle.part: bundle.name for bundle in bundles}
        for result in results:
            _enter(book, day, names[result["part"]], result)
        for student, time in times.items():
            handed_in: Any = book.find_submission(day, student)
            handed_in.timestamp = _moment(time)
        book.db.commit()


def _moment(time: str) -> datetime | None:
    try:
        return parse_utc(time) if time else None
    except (ValueError, OverflowError):
        return None


def _describe(book: Gradebook, day: str, bundle: Bundle) -> None:
    """The notebook of a part, with its checks and its written answers."""
    book.update_or_create_notebook(bundle.name, day)
    for cell in bundle.cells:
        mark = "check" if "check" in cell.marks else "answer"
        if mark not in cell.marks:
            continue
        name = cell_name(str(cell.marks[mark]), mark)
        kind = cell.kind
        graded: dict[str, Any] = {"max_score": float(str(cell.marks["points"])), "cell_type": kind}
        book.update_or_create_grade_cell(name, bundle.name, day, **graded)
        if mark == "answer":
            book.update_or_create_solution_cell(name, bundle.name, day)
            facts = {"cell_type": kind, "locked": False, "source": cell.source}
            book.update_or_create_source_cell(name, bundle.name, day, **facts)


def cell_name(id: str, mark: str) -> str:
    """Returns nbgrader's name of a cell.

    >>> cell_name("d1.2.3", "check")
    'd1-2-3-check'
    """
    return id.replace(".", "-") + ("-check" if mark == "check" else "")


def _enter(book: Gradebook, day: str, notebook: str, result: dict[str, Any]) -> None:
    student = result["student"]
    book.update_or_create_student(student)
    try:
        book.find_submission(day, student)
    except MissingEntry:
        with book.db.no_autoflush:
            book.add_submission(day, student)
    points = {cell_name(each["id"], "check"): each["points"] for each in result["verdicts"]}
    for grade in book.find_submission_notebook(notebook, day, student).grades:
        if grade.name in points:
            grade.auto_score = float(points[grade.name])
            grade.needs_manual_grade = False
        elif grade.manual_score is None:
            grade.needs_manual_grade = True


def marks(path: Path, day: str) -> dict[Any, list[dict[str, Any]]]:
    """Returns each student's written answers that people have read: id, points, most, comment."""
    with Gradebook(f"sqlite:///{path}", COURSE) as book:
        return {each.student_id: list(_marks(each)) for each in book.assignment_submissions(day)}


def _marks(submission: Any) -> Iterator[dict[str, Any]]:
    for notebook in submission.notebooks:
        comments = {each.name: each.comment or "" for each in notebook.comments}
        for grade in notebook.grades:
            if grade.manual_score is not None:
                yield {
                    "id": grade.name.removesuffix("-check").replace("-", "."),
                    "points": grade.manual_score,
                    "most": grade.max_score,
                    "comment": comments.get(grade.name, ""),
                }


def readable(cells: list[dict[str, Any]], bundle: Bundle, source_of: Any, grade_id: Any) -> str:
    """Returns a notebook for Formgrader to show: its texts, without outputs and without markup.

    Formgrader shows markdown as a page, in the instructor's session, so no tag, link or picture of
    it is kept.
    """
    marks = dict(_marked(bundle))
    shown = []
    for place, cell in enumerate(cells):
        id, kind = grade_id(cell), cell.get("cell_type")
        if kind not in ("code", "markdown"):
            continue
        made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}}
        text = source_of(cell)
        made["source"] = text if kind == "code" else _without_markup(text)
        if kind == "code":
            made |= {"outputs": [], "execution_count": None}
        if marks.get(id, {}).get("cell_type") == kind:
            made["metadata"] = {"nbgrader": {**marks.pop(id), "grade_id": id, "schema_version": 3}}
        shown.append(made)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    whole = {"cells": shown, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1)


def _marked(bundle: Bundle) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each cell that has points, and how nbgrader marks it."""
    for cell in bundle.cells:
        for mark, kind in (("check", CHECKED), ("answer", WRITTEN)):
            if mark in cell.marks:
                name = cell_name(str(cell.marks[mark]), mark)
                yield name, {**kind, "points": float(str(cell.marks["points"]))}


def _without_markup(text: str) -> str:
    """A markdown text in which no tag begins and no address follows a bracket."""
    return re.sub(r"\](?=\s*[\[(:])", "]\u200b", text.replace("<", "&lt;"))
