"""Grading two days of a cohort of seventy: is each score the due one, does it survive kills, what does it cost?

python -m benchmarks.grading due [FOLDER]        20 minutes of CPU: 630 notebooks, most of them hostile
python -m benchmarks.grading kills [FOLDER]      10 minutes of CPU: `remix grade` is killed twenty times, then finishes
python -m benchmarks.grading nbgrader [FOLDER]   8 minutes of CPU: the same 20 notebooks by nbgrader and `remix grade`

FOLDER is a new folder for what is written (a temporary one); it is kept.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import cheats, cohort, mishaps
from benchmarks.lesson import DAYS, lessons
from benchmarks.room import ONE, ROOT, Room, cpu_of_children, digest, left_folders, left_running, listing
from remix_utils.classroom.grading import gradebook

DAY = "day2_induction"
KILLS = 20


def row(name: str, value: object, more: object = "") -> None:
    print(f"{name:58} {value!s:>12}  {more}", flush=True)


# --- each its due -------------------------------------------------------------------------------------------------


def due(folder: Path, days: tuple[str, ...] = DAYS) -> None:
    """Grades the cohort, and compares scores, sentences and files with what they must be."""
    room, course = Room(folder), lessons(ROOT, days)
    handed = cohort.cohort(course)
    dues = cohort.write(course, handed, room.places) | cohort.odd_places(course, room.submitted)
    before, spent, early = listing(room), [0.0, 0.0], 0
    for day in days:
        known, seen = digest(room.gradebook), set()
        used = room.grade(day, lambda seen=seen: seen.add(digest(room.gradebook)))
        early += len(seen - {known})
        spent = [total + each for total, each in zip(spent, used, strict=True)]
    changed = sorted(set(before.items()) ^ set(listing(room).items()))
    results = room.results()
    stated = sum(each is not None for mine in dues.values() for each in mine.values())
    row("students, notebooks", f"{len(dues)}, {len(dues) * len(course)}")
    row("cheats tried, in each hole of each part", len(cheats.CHEATS))
    row("kinds of bad notebooks", len(cohort.BAD) + len(mishaps.ODD_PLACES))
    row("scores with a due", stated, f"of {sum(map(len, dues.values()))}")
    compare(results, dues, handed, room)
    row("files outside the sandbox touched", len(changed), changed[:10])
    row("times the gradebook changed before grading's end", early)
    row("processes left", len(left_running()), left_running())
    row("folders left", len(left_folders()), left_folders())
    row("CPU minutes, wall minutes", " ".join(f"{each / 60:.1f}" for each in spent))


def compare(results: dict, dues: dict, handed: cohort.Cohort, room: Room) -> None:
    """Prints what is not as it must be, each time with the first examples."""
    wrong = list(wrong_scores(results, dues))
    wrong += [f"{student}: graded, but nothing is due" for student in results if student not in dues]
    paid = sorted({each.partition(":")[0] for each in wrong if each.startswith("cheat")})
    found = {
        "cheats paid": paid,
        "wrong scores": wrong,
        "peers that differ": differing(results),
        "points missing without a sentence": list(silent(results)),
        "known mistakes without their sentence": list(wrong_sentences(results, handed)),
        "scores that the gradebook has otherwise": list(not_entered(results, room)),
    }
    for name, faults in found.items():
        row(name, len(faults), "; ".join(faults[:20]))


def wrong_scores(results: dict, dues: dict[str, dict[str, cohort.Due]]) -> Iterator[str]:
    for student, mine in dues.items():
        for id, points in mine.items():
            verdict = results.get(student, {}).get(id)
            got = verdict and verdict["points"]
            if got is None or (points is not None and got != points):
                yield f"{student}: {id} {got} for {points} ({verdict and verdict['sentence'][:150]})"


def wrong_sentences(results: dict, handed: cohort.Cohort) -> Iterator[str]:
    for student, parts in handed.items():
        for each in parts.values():
            for id, says in each.sentences.items():
                if says not in results[student][id]["sentence"]:
                    yield f"{student} {id}: {results[student][id]['sentence'][:100]!r} for {says[:100]!r}"


def silent(results: dict) -> Iterator[str]:
    for student, mine in results.items():
        yield from (
            f"{student} {id}" for id, each in mine.items() if each["points"] < each["most"] and not each["sentence"]
        )


def not_entered(results: dict, room: Room) -> Iterator[str]:
    book = room.scores()
    for student, mine in results.items():
        for id, each in mine.items():
            if book.get((student, gradebook.cell_name(id, "check"))) != each["points"]:
                yield f"{student} {id}"


def differing(results: dict) -> list[str]:
    """The exercises on which those who broke the first function differ."""
    first, *others = (results[name] for name in cohort.PEERS)
    return [id for id in first if any(other[id]["points"] != first[id]["points"] for other in others)]


# --- kills --------------------------------------------------------------------------------------------------------


def kills(folder: Path) -> None:
    """Kills grading at random moments; results and gradebook must be those of a run that nobody killed."""
    course = lessons(ROOT, (DAY,))
    calm, killed = Room(folder / "calm"), Room(folder / "killed")
    handed = {name: each for name, each in cohort.cohort(course).items() if name in KILLED}
    for room in (calm, killed):
        cohort.write(course, handed, room.places)
        (room.grading).mkdir()
        (room.grading / "seed").write_text("4711")
    start, came = time.monotonic(), []
    used, wall = calm.grade(DAY, lambda: came.append(time.monotonic() - start))
    drawn, seen, twice, orphans, finished = random.Random(0), {}, 0, 0, 0
    for _ in range(KILLS):
        running = killed.start(DAY)
        moment = drawn.uniform(0, came[0] + 2 * (wall - came[0]) / KILLS)  # the first result has to come
        time.sleep(moment)
        finished += running.poll() is not None
        running.send_signal(signal.SIGKILL)
        running.communicate()
        orphans += lasting()
        twice += changed_results(killed, seen)
        print(f"  killed after {moment:.1f} s; {len(seen)} results are kept", flush=True)
    killed.grade(DAY)
    twice += changed_results(killed, seen)
    row("notebooks, seconds of a calm run, of CPU", f"{len(seen)}, {wall:.0f}, {used:.0f}")
    row("kills, of them after grading had ended", f"{KILLS}, {finished}")
    row("results that were judged twice", twice)
    row("results that differ", len(set(map(str, flat(calm))) ^ set(map(str, flat(killed)))))
    row("scores in the gradebook that differ", len(set(calm.scores().items()) ^ set(killed.scores().items())))
    row("children that outlived a killed parent by 5 s", orphans)
    row("processes left", len(left_running()), left_running())
    unfinished = [path.name for path in killed.folder.rglob("*.new*")]
    row("folders left, files half written", f"{len(left_folders())}, {len(unfinished)}", unfinished)


KILLED = ("reference", "blank", "second blank", "partly 0.5", "partly 0.25", "differently 0", "differently 1",
          "mistaken 0", "mistaken 1", "mistaken 2", "first untouched", "first raises", "ann lee",
          "cheat harness patched", "cheat solution", "cheat stack")  # fmt: skip


def lasting() -> int:
    """The children of a killed grading that live for five seconds longer."""
    deadline = time.monotonic() + 5
    while left_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(left_running())


def changed_results(room: Room, seen: dict[Path, int]) -> int:
    """Notes the results that are there; returns how many of those known before were written again."""
    now = {path: path.stat().st_mtime_ns for path in room.grading.glob("done/*/*/*.json")}
    changed = sum(now.get(path) != when for path, when in seen.items())
    seen.update(now)
    return changed


def flat(room: Room) -> list:
    return [(student, *each.items()) for student, mine in room.results().items() for each in mine.values()]


# --- beside nbgrader ----------------------------------------------------------------------------------------------


def beside_nbgrader(folder: Path) -> None:
    """Grades the same honest notebooks with both, and compares scores and seconds of CPU."""
    room, course = Room(folder), lessons(ROOT, (DAY,))
    makers = {
        "reference": cohort.solved,
        "partly": cohort.partly,
        "differently": cohort.differently,
        "mistaken": lambda lesson: cohort.mistaken(lesson, 0, [lesson.leaves[0]]),
        "blank": lambda lesson: cohort.solved(lesson, []),
    }
    handed = {name: {each.part.id: make(each) for each in course} for name, make in makers.items()}
    dues = cohort.write(course, handed, room.places)
    count = len(handed) * len(course)
    ours, wall = room.grade(DAY)
    theirs, their_wall = autograde(folder / "course", room)
    wrong = list(wrong_scores(room.results(), dues))
    mine, stock = room.scores(), room.scores(folder / "course" / "gradebook.db")
    checks = {key for key in mine if key[1].endswith("-check")}
    other = [f"{key}: {mine[key]} for {stock.get(key)}" for key in sorted(checks) if mine[key] != stock.get(key)]
    row("notebooks, scores", f"{count}, {len(checks)}")
    row("wrong scores", len(wrong), wrong[:10])
    row("scores that differ from nbgrader's", len(other), other[:10])
    row("CPU seconds a notebook: nbgrader", f"{theirs / count:.1f}", f"{their_wall:.0f} s of wall clock")
    row("CPU seconds a notebook: remix grade", f"{ours / count:.2f}", f"{wall:.0f} s of wall clock")
    row("ratio", f"{theirs / ours:.1f}")
    row("notebooks a minute on two idle cores, by CPU", f"{2 * 60 * count / ours:.0f}")
    row("notebooks a minute here", f"{60 * count / wall:.0f}")


def autograde(copy: Path, room: Room) -> tuple[float, float]:
    """Grades in a copy of the course with nbgrader; returns seconds of CPU and of the wall clock."""
    copy.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", ".git", ".venv*", ".*_cache", "build")
    for name in ("solutions", "nbgrader_config.py"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source / DAY, copy / name / DAY, ignore=ignore)
        else:
            shutil.copy(source, copy / name)
    shutil.copytree(room.submitted, copy / "submitted")
    environment = {**os.environ, **ONE, "HOME": str(room.home), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    nbgrader = lambda *asked: subprocess.run(
        [sys.executable, "-m", "nbgrader", *asked, DAY], cwd=copy, env=environment, check=True, capture_output=True
    )
    nbgrader("generate_assignment")
    before, start = cpu_of_children(), time.monotonic()
    nbgrader("autograde")
    return cpu_of_children() - before, time.monotonic() - start


COMMANDS = {"due": due, "kills": kills, "nbgrader": beside_nbgrader}

if __name__ == "__main__":
    command, *rest = sys.argv[1:] or ["help"]
    if command not in COMMANDS or len(rest) > 1:
        raise SystemExit(__doc__)
    chosen = Path(rest[0]).absolute() if rest else Path(tempfile.mkdtemp(prefix="cohort-"))
    COMMANDS[command](chosen / command)
    print(f"Everything is in {chosen / command}.")
