"""Judging processes: each keeps to the part that it has at hand, and leaves nothing behind, even if it is killed."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from remix_utils.checks.attempt import TimeLimit
from remix_utils.classroom.grading.judges import Queue, Slot
from remix_utils.classroom.grading.slot import FOLDER, Task
from remix_utils.classroom.grading.workers import Nursery


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The folders of judging processes, which lie in a place of the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return lambda: sorted(tmp_path.glob(f"{FOLDER}*"))


def test_a_process_that_ends_takes_its_folder_along(folders):
    """It ends by the end of its pipe, without force."""
    slot = Slot(sandboxed=False)
    assert slot.answer() is None
    assert len(folders()) == 1
    slot.end()
    assert slot.process.returncode == 0
    assert folders() == []


def test_the_next_process_sweeps_after_one_that_was_killed(folders):
    """The folder of a process that lives stays."""
    killed, living = Slot(sandboxed=False), Slot(sandboxed=False)
    assert killed.answer() is living.answer() is None
    before = folders()
    killed.process.kill()
    killed.process.wait()
    following = Slot(sandboxed=False)
    assert following.answer() is None
    after = folders()
    assert len(before) == len(after) == 2
    assert len(set(before) & set(after)) == 1
    for slot in (killed, living, following):
        slot.end()
    assert folders() == []


def test_where_memory_runs_out_answers_end_first():
    """And not the judge, nor whatever else runs on the machine."""
    nursery = Nursery(sandboxed=False)
    worker = nursery.worker()
    assert Path(f"/proc/{worker.process}/oom_score_adj").read_text() == "1000\n"
    worker.end()
    nursery.close()


def test_a_process_keeps_to_its_part():
    """What it has prepared for a part serves the next notebook; another part is taken when none is left."""
    tasks = [Task(student, part, part, "", student + part, ()) for part in "123" for student in ("ann", "bob")]
    queue = Queue(tasks, 2, False, lambda result: result, print)
    first, second = SimpleNamespace(checks=""), SimpleNamespace(checks="")
    queue.slots = {1: first, 2: second}
    taken = []
    for slot in (first, second, first, second, first, second, first):
        task = queue.next_for(slot)
        taken.append(task and task.key)
        slot.checks = task.checks if task else slot.checks
    assert taken == ["ann1", "ann2", "bob1", "bob2", "ann3", "bob3", None]


def test_an_endless_answer_ends_with_its_nursery():
    """A judge that is killed leaves no answer behind that computes on."""
    nursery = Nursery(sandboxed=False)
    worker = nursery.worker()
    worker.allow(0.1)
    with pytest.raises(TimeLimit):
        worker.peer.ask("answer", {"before": [], "hole": "while True: pass", "between": [], "text": "None"})
    nursery.control.close()  # as when its process is killed
    nursery.program.wait()
    while running(worker.process):
        time.sleep(0.01)
    worker.end()


def running(process):
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
