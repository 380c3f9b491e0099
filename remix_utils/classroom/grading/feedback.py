"""What a student is told: a page a day from the judge's sentences; a table for instructors."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #ccc; padding: .4em .6em; text-align: left; vertical-align: top; }
td.points { white-space: nowrap; text-align: right; }
tr.missing td.points { font-weight: bold; }
tr.missing { background: #fff6e5; }
pre { white-space: pre-wrap; margin: 0; font: inherit; }
"""


def page(day: str, results: Sequence[dict[str, Any]], marks: Sequence[dict[str, Any]] = ()) -> str:
    """Returns a student's page of a day; whatever a submission holds stands there as text.

    `marks` are those that people have given, with their comments.
    """
    student = results[0]["student"]
    verdicts = [each for result in results for each in result["verdicts"]]
    total = sum(each["points"] for each in verdicts)
    most = sum(each["most"] for each in verdicts)
    parts = "".join(map(_part, results)) + _by_people(marks)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(day)}: {html.escape(student)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(day)}: {html.escape(student)}</h1>"
        f"<p>{total:g} of {most:g} points by the checks. People read the written answers"
        f"{'; their marks stand below' if marks else ''}.</p>"
        f"{parts}</body></html>\n"
    )


def _part(result: dict[str, Any]) -> str:
    remarks = "".join(f"<p>{html.escape(each)}</p>" for each in result["remarks"])
    rows = "".join(map(_row, result["verdicts"]))
    return (
        f"<h2>{html.escape(result['part'])}</h2>{remarks}<table><tr><th>Exercise</th>"
        f"<th>Points</th><th>What the check says</th></tr>{rows}</table>"
    )


def _by_people(marks: Sequence[dict[str, Any]]) -> str:
    if not marks:
        return ""
    rows = "".join(_line(each, each["comment"]) for each in marks)
    return (
        "<h2>Marks that people gave</h2><table><tr><th>Exercise</th><th>Points</th>"
        f"<th>Comment</th></tr>{rows}</table>"
    )


def _row(verdict: dict[str, Any]) -> str:
    full = verdict["points"] == verdict["most"]
    said = "✓" if full and not verdict["sentence"] else verdict["sentence"]
    if verdict["brought"] == "solution":
        said += " The reference solution was shown in this notebook."
    return _line(verdict, said)


def _line(scored: dict[str, Any], said: str) -> str:
    points = f"{scored['points']:g} / {scored['most']:g}"
    kind = "full" if scored["points"] >= scored["most"] else "missing"
    return (
        f"<tr class='{kind}'><td>{html.escape(scored['id'])}</td><td class='points'>{points}</td>"
        f"<td><pre>{html.escape(said)}</pre></td></tr>"
    )


def table(results: Sequence[dict[str, Any]]) -> str:
    """Returns all verdicts as CSV; a cell that a spreadsheet would run begins with a quote."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["student", "part", "exercise", "points", "most", "brought", "sentence"])
    for result in results:
        for each in result["verdicts"]:
            facts = [each["id"], each["points"], each["most"], each["brought"], each["sentence"]]
            writer.writerow(
                [_harmless(cell) for cell in [result["student"], result["part"], *facts]]
            )
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet takes as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell[:1] else cell
