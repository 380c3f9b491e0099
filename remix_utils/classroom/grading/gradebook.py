"""nbgrader's gradebook, written from the judge's results by one process and replaced as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from remix_utils.checks.bundle import Bundle

WRITTEN = {"cell_type": "markdown", "grade": True, "solution": True, "locked": False, "task": False}


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Gradebook]:
    """A copy of the gradebook to write into; it takes the old one's place when all is written."""
    new = path.with_name(f"{path.name}.new")
    if path.exists():
        shutil.copy2(path, new)
    else:
        new.unlink(missing_ok=True)
    with Gradebook(f"sqlite:///{new}") as book:
        yield book
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


def write(path: Path, day: str, bundles: Sequence[Bundle], results: Sequence[dict]) -> None:
    """Writes the scores of a day; marks that people have given stay as they are."""
    with replaced(path) as book:
        book.update_or_create_assignment(day)
        for bundle in bundles:
            _describe(book, day, bundle)
        names = {bundle.part: bundle.name for bundle in bundles}
        for result in results:
            _enter(book, day, names[result["part"]], result)
        book.db.commit()


def _describe(book: Gradebook, day: str, bundle: Bundle) -> None:
    """The notebook of a part, with its checks and its written answers."""
    book.update_or_create_notebook(bundle.name, day)
    for cell in bundle.cells:
        mark = "check" if "check" in cell.marks else "answer"
        if mark not in cell.marks:
            continue
        name = cell_name(str(cell.marks[mark]), mark)
        points, kind = float(str(cell.marks["points"])), cell.kind
        book.update_or_create_grade_cell(name, bundle.name, day, max_score=points, cell_type=kind)
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


def readable(cells: list[dict[str, Any]], bundle: Bundle, source_of: Any, grade_id: Any) -> str:
    """Returns a notebook for Formgrader to show: its texts, without outputs and without markup.

    Formgrader shows markdown as a page, in the instructor's session, so no tag of it is kept.
    """
    points = {
        cell_name(str(cell.marks["answer"]), "answer"): float(str(cell.marks["points"]))
        for cell in bundle.cells
        if "answer" in cell.marks
    }
    shown = []
    for place, cell in enumerate(cells):
        id, kind = grade_id(cell), cell.get("cell_type")
        if kind not in ("code", "markdown"):
            continue
        made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}}
        text = source_of(cell)
        made["source"] = text if kind == "code" else text.replace("<", "&lt;")
        if kind == "code":
            made |= {"outputs": [], "execution_count": None}
        if id in points and kind == "markdown":
            facts = {**WRITTEN, "grade_id": id, "points": points[id], "schema_version": 3}
            made["metadata"] = {"nbgrader": facts}
        shown.append(made)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    whole = {"cells": shown, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1)
