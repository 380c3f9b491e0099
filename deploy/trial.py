"""The trial of `deploy/try.sh`: from release to feedback through the Hub, and what no account may see of another.

    python trial.py FOLDER

It runs as root. The Hub is installed in FOLDER/env, and its data are in FOLDER/data.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from intrusions import AFTER_GRADING, BEFORE_GRADING, FIND_SOLUTIONS, FORGERIES
from seat import Seat, TrialError, expect

DAY, PART, PATIENCE = "day1_graphs", "part1_hooks", 300
FOLDER = Path(sys.argv[1])
ENV, DATA = FOLDER / "env", FOLDER / "data"
NO_GRADER = 3
# An attempt must fail because it is refused, and not because it is written wrongly.
REFUSALS = (
    "PermissionError",
    "HTTPError: 403",
    "HTTPError: 404",
    "AssertionError: refused",
    "AssertionError: nothing",
)


def main() -> int:
    passwords = dict(line.split() for line in (ENV / "etc/remix/passwords.txt").read_text().splitlines())
    with hub() as address:
        ines, one, two = (Seat(address, name, passwords[name]) for name in sorted(passwords))
        expect(not Seat(address, two.name, "wrong").can_sign_in(), "a wrong password is refused")
        for seat in (ines, one, two):
            seat.open_server()
            who = seat.shell("id -un").strip()
            expect(who == seat.name, f"the server of {seat.name} runs as {who}")
        check_desks(ines, one)
        hand_out_and_in(ines, (one, two))
        status = grade_and_return(ines, one, two) if can_grade(ines) else NO_GRADER
    print("The trial is over." if status == 0 else "Without `remix grade`, grades and feedback were not tried.")
    return status


@contextmanager
def hub() -> Iterator[str]:
    """The Hub with its proxy on free ports of this machine, until the trial ends."""
    port, hub_port, api_port = free_ports(3)
    command = [
        *(ENV / "bin/jupyterhub", "-f", ENV / "etc/remix/jupyterhub_config.py"),
        f"--JupyterHub.bind_url=http://127.0.0.1:{port}",
        f"--JupyterHub.hub_bind_url=http://127.0.0.1:{hub_port}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api_port}",
    ]
    environment = {**os.environ, "PATH": f"{ENV}/bin:{os.environ['PATH']}"}
    with open(FOLDER / "hub.log", "w") as log:
        process = subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for_hub(address, process)
            print(f"The Hub runs at {address}", flush=True)
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_hub(address: str, process: subprocess.Popen) -> None:
    """Waits until the proxy listens and knows where the Hub is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{address}/hub/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.3)
    raise TrialError("the Hub did not start:\n" + (FOLDER / "hub.log").read_text()[-3000:])


# From release to collection.


def check_desks(ines: Seat, pair: Seat) -> None:
    """Checks that the instructor can have what the pairs are refused later."""
    expect(ines.ask("GET", f"/user/{ines.name}/formgrader").ok, "the instructor can open Formgrader")
    there = ines.shell(FIND_SOLUTIONS).split()
    expect(str(course() / "solutions" / DAY / f"{PART}.py") in there, "the instructor's search finds the solutions")
    courses = ines.ask("GET", f"/user/{ines.name}/formgraders").json()
    expect("'remix'" in str(courses["value"]), f"the instructor's list of courses is {courses['value']}")
    page = ines.ask("GET", f"/user/{ines.name}/lab").text, pair.ask("GET", f"/user/{pair.name}/lab").text
    expect(["nbgrader:formgrader" in each for each in page] == [False, True], "Formgrader is hidden from pairs alone")


def hand_out_and_in(ines: Seat, pairs: tuple[Seat, Seat]) -> None:
    ines.shell(f"cd ~/remix && nbgrader release_assignment {DAY}")
    for seat in pairs:
        expect(DAY in seat.shell("nbgrader list 2>&1"), f"{seat.name} sees that {DAY} is released")
        seat.shell(f"nbgrader fetch_assignment {DAY}")
        expect("SOLUTION" not in seat.read(f"{DAY}/{PART}.ipynb"), f"{seat.name} has fetched {DAY}, without solutions")
        courses = seat.ask("GET", f"/user/{seat.name}/assignments", params={"course_id": "remix"}).text
        expect(DAY in courses and '"fetched"' in courses, f"the Assignment List of {seat.name} shows {DAY} as fetched")
    one, two = pairs
    answer(one)
    for seat in pairs:
        seat.run(f"import os\nos.chdir(os.path.expanduser('~/{DAY}'))\nfrom remix_utils import check")
        said = seat.run("check('d1.1.1', ...)", fails=True)
        expect("not written yet" in said, f"a check judges in a kernel of {seat.name}")
        said = seat.shell(f"nbgrader submit {DAY} 2>&1")
        expect("Submitted as" in said, f"{seat.name} has submitted")
    records = ines.shell(f"cat {DATA}/progress/*/progress/*.jsonl | wc -l")
    expect(int(records) >= 2, f"the instructor reads {records.strip()} lines of progress, from both pairs")
    intrude(two, one, ines, BEFORE_GRADING)
    intrude(two, one, ines, FORGERIES, must_fail=False)
    said = ines.shell(f"cd ~/remix && nbgrader collect {DAY} 2>&1")
    expect(f"owned by {two.name}" in said, f"a submission of {two.name} in the name of {one.name} is not {one.name}'s")
    check_collected(ines, one, two)


def answer(seat: Seat) -> None:
    """Writes the reference's answers into one part of the pair's own copy, through its server."""
    master = json.loads((course() / "solutions" / DAY / f"{PART}.ipynb").read_text())
    answers = {grade_id(cell): cell["source"] for cell in master["cells"] if is_hole(cell)}
    notebook = json.loads(seat.read(f"{DAY}/{PART}.ipynb"))
    holes = [cell for cell in notebook["cells"] if is_hole(cell)]
    for cell in holes:
        cell["source"] = answers[grade_id(cell)]
    seat.write(f"{DAY}/{PART}.ipynb", json.dumps(notebook))
    expect(len(holes) > 3, f"{seat.name} has answered the {len(holes)} exercises of {PART}")


def is_hole(cell: dict) -> bool:
    return cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution", False)


def grade_id(cell: dict) -> str:
    return cell["metadata"]["nbgrader"]["grade_id"]


def course() -> Path:
    return Path(pwd.getpwnam("trial-ines").pw_dir) / "remix"


def check_collected(ines: Seat, one: Seat, two: Seat) -> None:
    submitted = course() / "submitted"
    expect(sorted(path.name for path in submitted.iterdir()) == [one.name, two.name], "two submissions are collected")
    text = (submitted / one.name / DAY / f"{PART}.ipynb").read_text()
    expect("forged" not in text and "SOLUTION" in text, f"the work of {one.name} is collected as it was handed in")
    links = [path for path in submitted.rglob("*") if path.is_symlink()]
    files = [path for path in (submitted / two.name).rglob("*") if path.is_file()]
    stolen = [path for path in files if b"BEGIN SOLUTION" in path.read_bytes()]
    expect((submitted / two.name / DAY / "own.txt").exists(), f"the newest submission of {two.name} holds links")
    expect(links + stolen == [], "a link to the solutions, handed in, brings nothing of them")
    two.shell(f"nbgrader submit {DAY}")
    ines.shell(f"cd ~/remix && nbgrader collect {DAY} --update 2>&1")
    there = (submitted / two.name / DAY / f"{PART}.ipynb").exists()
    expect(there, f"an honest submission of {two.name} takes the place of that one")


# Grades and feedback.


def can_grade(ines: Seat) -> bool:
    return "grade" in ines.shell("remix --help").split()


def grade_and_return(ines: Seat, one: Seat, two: Seat) -> int:
    print(ines.shell(f"cd ~/remix && remix grade {DAY} 2>&1", patience=1200)[-1500:])
    marks = scores()
    if not marks[one.name] > 0:
        print((course() / "grading" / f"{DAY}.csv").read_text()[:3000])
    expect(marks[one.name] > 15 > marks.get(two.name, 0), f"the gradebook has {marks}")
    rows = ines.ask("GET", f"/user/{ines.name}/formgrader/api/submissions/{DAY}").json()
    shown = {each["student"]: each["score"] for each in rows}
    expect(shown == marks, f"Formgrader shows {shown}")
    print(ines.shell(f"cd ~/remix && nbgrader release_feedback {DAY} 2>&1")[-800:])
    for seat in (one, two):
        fetched = seat.shell(f"nbgrader fetch_feedback {DAY} 2>&1")
        pages = seat.shell(f"find ~/{DAY} -path '*/feedback/*.html'").splitlines()  # with spaces, in the time
        expect(bool(pages), f"{seat.name} has fetched feedback: {fetched[-1500:] if not pages else len(pages)}")
        expect(seat.name in seat.shell(f"cat '{pages[0]}'"), f"it is the page of {seat.name}")
    intrude(two, one, ines, AFTER_GRADING)
    return 0


def scores() -> dict[str, float]:
    """Returns the automatic points of each student, as the gradebook has them."""
    with sqlite3.connect(f"file:{course()}/gradebook.db?mode=ro", uri=True) as book:
        rows = book.execute(
            "select s.student_id, sum(coalesce(g.auto_score, 0)) from grade g "
            "join submitted_notebook n on g.notebook_id = n.id "
            "join submitted_assignment s on n.assignment_id = s.id group by s.student_id"
        )
        return dict(rows.fetchall())


# What must fail.


def intrude(thief: Seat, victim: Seat, ines: Seat, attempts: dict[str, str], must_fail: bool = True) -> None:
    """Runs each attempt in a kernel of one pair, against another pair and the instructor."""
    places = {
        "day": DAY,
        "part": PART,
        "env": str(ENV),
        "data": str(DATA),
        "exchange": str(DATA / "exchange/remix"),
        "course": str(course()),
        "address": thief.address,
        "token": thief.token,
        "instructor": ines.name,
        "victim": victim.name,
        "victim_home": str(victim.home),
        "submission": next(map(str, (DATA / "exchange/remix/inbound").glob(f"{victim.name}+*"))),
        "victim_pid": victim.run("import os; print(os.getpid())").strip(),
        "victim_runtime": victim.run("import jupyter_core.paths as p; print(p.jupyter_runtime_dir())").strip(),
        "pages": [path.name for path in (DATA / "exchange/remix/feedback").glob("*.html")],
    }
    thief.run("\n".join(f"{name} = {value!r}" for name, value in places.items()))
    for what, code in attempts.items():
        said = thief.run(code, fails=must_fail)
        if must_fail and not said.startswith(REFUSALS):
            raise TrialError(f"the attempt {what} failed by itself: {said}")
        print(f"ok  {thief.name} {'is refused' if must_fail else 'is free'} {what}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TrialError as error:
        print(f"FAILED: {error}")
        sys.exit(1)
