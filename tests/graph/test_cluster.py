"""Evaluation on a real Dask scheduler with two worker processes; run where remix-utils[cluster] is installed."""

import os
import signal
import threading
import time

import pytest
import torch

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, sample
from remix_utils.graph.select import find
from tests.graph.transformer import tokens, transformer

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own; ours are errors everywhere else

PATIENCE = 120  # seconds for a worker to have tasks


def sweep():
    """Many variants of one computation, as a sweep over heads has them."""
    graph = transformer()
    heads = find(graph, "*.pattern")
    rows = torch.tensor([3, 3, 0, 6])
    return {"logits": graph, "drawn": apply("softmax", sample(graph, rows))} | {
        f"head {number}": add(head, head) for number, head in enumerate(heads)
    }


def assert_same(found, expected):
    assert list(found) == list(expected)
    for label, value in expected.items():
        torch.testing.assert_close(found[label], value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_a_cluster_gives_what_this_process_gives(cluster, batch_size):
    """The same labels and values, whatever the size of the chunks."""
    client, _ = cluster
    expected = evaluate(sweep(), tokens(7), batch_size=batch_size)
    assert_same(evaluate(sweep(), tokens(7), batch_size=batch_size, executor=client.get_executor()), expected)


def test_a_killed_worker_costs_a_retry(cluster):
    """One of two workers is killed with tasks in its hands; the other one does them, and the values are the same."""
    client, workers = cluster
    inputs, killed = tokens(400), []
    expected = evaluate(sweep(), inputs, batch_size=1)

    def kill_one():
        """Once some tasks are done, kills the first worker that holds others."""
        end = time.monotonic() + PATIENCE
        while not killed and time.monotonic() < end:
            done = sum(map(len, client.has_what().values()))
            busy = [address for address, tasks in client.processing().items() if tasks]
            if done > 2 and len(busy) == 2:
                process = client.run(os.getpid, workers=[busy[0]])[busy[0]]
                killed.extend((process, len(client.processing().get(busy[0], ()))))
                os.kill(process, signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    thread.start()
    found = evaluate(sweep(), inputs, batch_size=1, executor=client.get_executor(retries=2))
    thread.join()
    assert killed, "no worker was killed before the evaluation was over"
    assert killed[0] in {worker.pid for worker in workers} and killed[1] > 0
    assert len(client.scheduler_info()["workers"]) == 1
    assert_same(found, expected)
