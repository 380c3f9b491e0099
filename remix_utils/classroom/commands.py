"""The commands of `remix`; each returns the exit status."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from remix_utils.classroom import course
from remix_utils.classroom.doctor.examination import examine, examine_quickly
from remix_utils.classroom.doctor.finding import Finding
from remix_utils.classroom.lab import choose_port, open_lab
from remix_utils.classroom.pair import give_names, pair_of
from remix_utils.classroom.start import Started, changed
from remix_utils.classroom.start import start as start_day


def doctor(asked: argparse.Namespace) -> int:
    """Prints every finding; 1 if one of them is bad."""
    bad = 0
    for found in examine(_writing_folders(asked.work)):
        if isinstance(found, str):
            _show_doing(found)
            continue
        print(f"{_clear()}  {'ok ' if found.good else 'BAD'}  {found.fact}", flush=True)
        if not found.good:
            print(f"       fix: {found.fix}", flush=True)
        bad += not found.good
    last = f"{bad} of these need mending; then: remix doctor" if bad else "All is in order. Next: remix lab"
    print(f"{_clear()}{last}")
    return int(bad > 0)


def _show_doing(what: str) -> None:
    """On a terminal, one line that the next finding replaces."""
    if sys.stdout.isatty():
        print(f"{_clear()}  ...  {what}", end="", flush=True)


def _clear() -> str:
    return "\r\x1b[K" if sys.stdout.isatty() else ""


def _writing_folders(work: str | None) -> list[Path]:
    """The folders in which work and progress are kept, as far as they are there."""
    try:
        whole, desk = course.find_places(work)
    except course.CourseError:  # the doctor works where there is no course, too
        whole = desk = Path.cwd()
    shared = os.environ.get("REMIX_FOLDER")
    folders = [whole, desk, *([Path(shared)] if shared else [])]
    return [folder for folder in dict.fromkeys(folders) if folder == whole or folder.is_dir()]


def lab(asked: argparse.Namespace) -> int:
    """Checks the installation quickly, then opens JupyterLab on a day."""
    notebook, root, whole = _place_to_open(asked)
    findings = [found for found in examine_quickly([root]) if isinstance(found, Finding)]
    bad = [finding for finding in findings if not finding.good]
    print(f"Checked the installation: {len(findings) - len(bad)} of {len(findings)} findings are good.")
    for finding in bad:
        print(f"  {finding.fact}\n  fix: {finding.fix}")
    names = pair_of(root, asked.pair)
    if names:
        print(f"The work of {names}.")
    port = choose_port(asked.port)
    status = open_lab(notebook, root, whole, port, browser=not asked.no_browser, pair=names)
    print("\nJupyterLab has stopped. Next: make lab (or remix lab) goes on where you saved.")
    return status


def _place_to_open(asked: argparse.Namespace) -> tuple[Path, Path, Path]:
    """The notebook, the folder that Lab shows, and the course."""
    whole, desk = course.find_places(asked.work)
    day, part = course.read_day(asked.day, whole)
    own = desk / day.name
    started = (own / course.RECORD).exists()
    if asked.all or whole == desk or not (started or asked.work or course.is_source(whole)):
        return course.find_notebook(day, part), whole, whole  # a released folder is the participant's own
    if started:
        news = changed(day, own)
        if news:
            print(f"The course has new versions of {', '.join(news)}; yours stay. See: remix start {day.name}")
    else:
        report(start_day(day, own))
    return course.find_notebook(own, part), desk, whole


def start(asked: argparse.Namespace) -> int:
    """Copies a day into a folder of the participant's own, or says what has changed in the course since."""
    whole, desk = course.find_places(asked.work)
    day, part = course.read_day(asked.day, whole)
    report(start_day(day, desk / day.name, new=asked.new))
    number = day.name.partition("_")[0]
    print(f"Next: remix lab {number.replace('day', 'd')}.{part}" if part else f"Next: remix lab {number}")
    return 0


def report(done: Started) -> None:
    """Prints what a start did, and what it left alone."""
    name, notebooks = done.folder.name, [each for each in done.copied if each.endswith(".ipynb")]
    if done.first:
        print(f"{name} is yours now, in {done.folder}. Updates of the course leave this folder alone.")
    elif notebooks:
        print(f"Copied to {done.folder}: {', '.join(notebooks)}.")
    for old, new in done.beside.items():
        print(f"{new} is the course's new version; {old} is as you left it.")
    if done.changed:
        print("These have changed in the course since you began, and yours are as you left them:")
        for each, where in done.changed.items():
            print(f"  {each}, {where}")
        print(f"To have the new versions beside yours: remix start {name} --new")
    for each in done.withdrawn:
        print(f"{each} is no longer part of the course; yours stays.")
    if not (done.copied or done.beside or done.changed or done.withdrawn):
        print(f"{name} is in {done.folder}, and the course has not changed since.")


def pair(asked: argparse.Namespace) -> int:
    """Puts the names of a pair on its work, or shows them."""
    give_names(asked.names, asked.work)
    return 0


def solution(asked: argparse.Namespace) -> int:
    """Prints the reference solution of an exercise, and notes it in the progress record of the participant."""
    from remix_utils.classroom.opening import open_solution

    open_solution(asked.id, asked.work, asked.yes)
    return 0


def model(asked: argparse.Namespace) -> int:
    """Fetches smollm2 into the user's cache, takes it from a file, or removes it."""
    from remix_utils.classroom import fetching

    if asked.remove:
        print("smollm2 is removed." if fetching.remove() else "smollm2 was not here.")
        return 0
    path = fetching.take(Path(asked.file)) if asked.file else fetching.fetch()
    print(f'smollm2 is here, in {path}. Next: models.load("smollm2")')
    return 0


def finding(asked: argparse.Namespace) -> int:
    """Writes the index over the finding cards of a folder."""
    from remix_utils.classroom.findings.index import read_folder, save_index

    path = save_index(asked.folder)
    cards, others = read_folder(Path(asked.folder))
    for name, reason in others.items():
        print(f"  {name} is no card: {reason}")
    print(f"{len(cards)} cards in {path}. Next: open it in a browser.")
    return 0


def grade(asked: argparse.Namespace) -> int:
    """Judges what was handed in for a day, and writes gradebook, feedback pages and a table."""
    from remix_utils.classroom.grading.cohort import Cohort
    from remix_utils.classroom.grading.elsewhere import cluster_at

    whole = course.find_course()
    sources = whole / "solutions" / asked.day / "checks"
    cohort = Cohort(
        day=asked.day,
        checks=sources if sources.is_dir() else whole / asked.day / "checks",
        submitted=Path(asked.submitted),
        grading=Path(asked.results),
        gradebook=Path(asked.gradebook),
        processes=asked.processes,
        sandboxed=not asked.without_sandbox,
    )
    if asked.scheduler:
        with cluster_at(asked.scheduler) as cohort.executor:
            results = cohort.grade()
    else:
        results = cohort.grade()
    students = {result["student"] for result in results}
    print(f"{len(students)} students graded. Points: {asked.gradebook}; feedback: {asked.results}/feedback/.")
    print("Next: read the written answers in Formgrader.")
    return 0


def board(asked: argparse.Namespace) -> int:
    """Serves the board of a folder of progress until Ctrl-C."""
    print("Starting the board ...", flush=True)
    from remix_utils.classroom.board.catalogue import Catalogue, read_catalogue
    from remix_utils.classroom.board.server import serve

    try:
        whole, desk = course.find_places()
    except course.CourseError:  # a machine that has the progress, and not the course
        whole, desk = None, Path.cwd()
    folder = Path(asked.folder or os.environ.get("REMIX_FOLDER") or desk).expanduser().absolute()
    if whole is None:
        print("The course is not here: the board shows exercises that were tried, without the mistakes' sentences.")
    port = choose_port(asked.port)
    serve(folder, read_catalogue(whole) if whole else Catalogue({}), asked.host, port, asked.swap)
    print("\nThe board has stopped; the progress is kept. Next: remix board")
    return 0
