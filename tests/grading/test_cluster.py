"""Grading on a real Dask scheduler with two worker processes; run where remix-utils[cluster] is installed."""

import os
import signal

import pytest

from remix_utils.classroom.grading import elsewhere
from remix_utils.classroom.grading.cohort import Cohort
from remix_utils.classroom.grading.elsewhere import ClusterError, cluster_at
from tests.grading.tiny_course import DAY, hand_in, points, solved, write_course, wrote

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own; ours are errors everywhere else


@pytest.fixture
def handed_in(tmp_path):
    """The checks of a day, and what some students handed in."""
    day, reference, student = write_course(tmp_path)
    right = solved(student, reference)
    for number in range(6):
        hand_in(tmp_path / "submitted", f"right {number}", right)
    hand_in(tmp_path / "submitted", "untouched", student)
    hand_in(tmp_path / "submitted", "square", wrote(right, d9_1_1="def double(n):\n    return n * n"))
    hand_in(tmp_path / "submitted", "ends", wrote(right, d9_1_1="import os\nos._exit(0)"))
    return tmp_path, day / "checks"


def cohort_of(handed_in, name, **more):
    folder, checks = handed_in
    made = Cohort(
        DAY, checks, folder / "submitted", folder / name, folder / f"{name}.db", say=lambda line: None, **more
    )
    made.grading.mkdir()
    (made.grading / "seed").write_text("7")  # the hidden inputs are the same
    return made


def test_a_cluster_judges_as_this_process_does(cluster, handed_in):
    """The same verdicts, and they are kept: the next run judges nothing."""
    client, _ = cluster
    here = cohort_of(handed_in, "here").grade()
    far = cohort_of(handed_in, "far", executor=client.get_executor())
    assert far.grade() == here
    assert set(map(tuple, points(here).values())) == {(2, 3), (0, 0)}
    far.executor = None
    far.judged = None  # nothing is left for it
    assert far.grade() == here


def test_a_killed_worker_costs_a_retry(cluster, handed_in):
    """One of two workers is killed while it judges; everybody still gets their due."""
    client, _ = cluster
    far = cohort_of(handed_in, "far", executor=client.get_executor(retries=2))
    killed = []

    def kill_one(line):
        busy = [address for address, tasks in client.processing().items() if tasks]
        if not killed and len(busy) == 2:
            process = client.run(os.getpid, workers=[busy[0]])[busy[0]]
            os.kill(process, signal.SIGKILL)
            killed.append(process)

    far.say = kill_one
    found = points(far.grade())
    assert killed, "no worker was killed before the grading was over"
    assert len(client.scheduler_info()["workers"]) == 1
    due = {f"right {number}": [2, 3] for number in range(6)}
    assert found == {**due, "untouched": [0, 0], "square": [0, 0], "ends": [0, 0]}


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    """The address and a fix."""
    pytest.importorskip("distributed", reason="no Dask here (pip install 'remix-utils[cluster]')")
    monkeypatch.setattr(elsewhere, "PATIENCE", 1.0)
    with (
        pytest.raises(ClusterError, match="No Dask scheduler answers at tcp:"),
        cluster_at("tcp://127.0.0.1:9"),
    ):
        raise AssertionError("there is one")
