"""The benchmarks: every row is measured, both its sides compute the same, and the table is never half written."""

import os

import pytest
import torch

from benchmarks import graph
from benchmarks.gpt2 import Network, Sizes, build_graph
from benchmarks.measure import Allocations, Floor, Row, agree, in_turn, table, write
from remix_utils import evaluate


def row(library, beside=(), unit="s", floor=None):
    return Row("work", library, beside, "plain", unit, 0.0, floor)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One run at tiny sizes: its rows, and what it wrote."""
    path = tmp_path_factory.mktemp("benchmarks") / "results.md"
    return graph.main(["--quick", "--output", str(path)]), path.read_text()


def test_every_row_is_measured_and_its_sides_agree(quick):
    """All that the table promises is there, each line with figures on both sides and a difference below 1e-5."""
    rows, _ = quick
    promised = (
        *("build 400 nodes", "memory of a node", "find by name", "find by predicate", "find by path"),
        *("rewrite a skip chain", "build 6 variants", "forward pass", "forward pass", "memory of activations"),
        *("path patching, GPT-2's shape, 6 heads",) * 3,
        "path patching, GPT-2's shape, 3 heads → the queries",
        *("path patching, SmolLM2, 16 heads",) * 3,
        *("path patching, SmolLM2, 12 heads → the queries", "resample digits'"),
        *(
            "scrub, induction, 7 draws",
            "scrub, induction, 7 draws",
            "scrub, parens, 50 draws",
            "scrub, parens, 50 draws",
        ),
        *("scrub, induction, 3 references", "scrub, induction, 6 references"),
        *("scrub, parens, 3 references", "scrub, parens, 6 references"),
        *("memory of a scrub, induction", "memory of a scrub, parens"),
        "start_at in a notebook",
    )
    assert [name for name, each in zip(promised, rows, strict=True) if not each.work.startswith(name)] == []
    for each in rows:
        assert 0 <= each.difference <= 1e-5, each
        assert min(each.library) > 0, each
        alone = each.work.startswith(("build 6 variants", "memory of a scrub", "start_at"))
        assert alone or (min(each.beside) > 0 and each.ratio > 0), each


def test_the_table_names_the_processor_and_no_machine(quick):
    """A line of hardware, a line for each row, and neither host nor folder."""
    rows, text = quick
    assert f"torch {torch.__version__.split('+')[0]}" in text and "1 torch thread" in text
    assert text.endswith(table(rows) + "\n") and text.count("\n|") == len(rows) + 2
    assert os.uname().nodename not in text and os.getcwd() not in text


def test_a_quick_run_leaves_the_measured_figures_alone(monkeypatch, tmp_path):
    """Tiny sizes are no figures to quote: without --output nothing is written."""
    monkeypatch.setattr(graph, "BENCHMARKS", (lambda scale: [row([1.0], floor=Floor("library", most=0.5))],))
    monkeypatch.setattr(graph, "RESULTS", tmp_path / "results.md")
    assert graph.main(["--quick"])[0].met is None and not (tmp_path / "results.md").exists()
    assert graph.main([])[0].met is False and (tmp_path / "results.md").exists()


def test_a_table_is_replaced_whole_or_not_at_all(monkeypatch, tmp_path):
    """A run that dies, in a measurement or in writing, leaves the old table."""
    path = tmp_path / "results.md"
    path.write_text("old")

    def die(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(graph, "BENCHMARKS", (lambda scale: [row([1.0])], die))
    with pytest.raises(KeyboardInterrupt):
        graph.main(["--output", str(path)])
    assert path.read_text() == "old"
    monkeypatch.setattr("benchmarks.measure.os.replace", die)
    with pytest.raises(KeyboardInterrupt):
        write([row([1.0])], path, quick=False)
    assert path.read_text() == "old"


def test_sides_that_differ_end_the_run():
    """Two computations are not compared for speed when they are two different computations."""
    ones = torch.ones(3)
    assert agree("work", ones, ones + 1e-6) <= 1e-5
    for other in (ones + 1e-3, ones[:2], ones * float("nan")):
        with pytest.raises(AssertionError, match="work"):
            agree("work", other, ones)


def test_ratios_and_floors_read_in_the_right_direction():
    """Above 1 the library is better: fewer seconds, fewer bytes, more nodes a second."""
    assert row([1.0, 2.0, 9.0], [4.0]).ratio == 2
    assert row([200.0], [100.0], unit="nodes/s").ratio == 2
    assert row([1.0], [30.0], floor=Floor("ratio", least=25)).met
    assert not row([1.0], [20.0], floor=Floor("ratio", least=25)).met
    assert not row([1.0], floor=Floor("library", most=0.5)).met


def test_sides_take_turns():
    """Each repetition runs every side once, so that a slow spell of the machine falls on all."""
    calls = []
    times = in_turn(3, lambda: calls.append("a"), lambda: calls.append("b"))
    assert calls == ["a", "b"] * 3 and [len(side) for side in times] == [3, 3]


def test_allocations_count_storages_while_they_live():
    """A view holds its storage, an update in place makes none, and what is freed is no longer there."""
    with Allocations() as made:
        x = torch.ones(100)
        half = x[:50]
        x.mul_(2)
        assert (made.live, made.peak) == (400, 400)
        del x
        assert made.live == 400
        y = half + 1
        del half
    assert (made.live, made.peak) == (200, 600) and len(y) == 50


@pytest.mark.parametrize("fused", [False, True])
def test_the_network_and_its_graph_compute_the_same(fused):
    """Modules, torch's own attention and the graph give the same logits."""
    plain = Network(Sizes(layers=3, heads=2, d_head=4, vocabulary=11, longest=6), seed=1)
    plain.fuse(fused)
    tokens = torch.randint(11, (5, 6), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(evaluate(build_graph(plain, 6), {"tokens": tokens}), plain(tokens), atol=1e-6)
