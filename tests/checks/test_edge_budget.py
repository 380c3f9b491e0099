"""A budget of edge experiments is spent once: by one notebook, for good, and never by another."""

import json

import pytest

from remix_utils.checks.edge_budget import BudgetError, EdgeBudget

A, B, C = ("embed", "v"), ("embed", "k"), ("mlp_out", "logits")


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """A function that moves to the notebook of a pair, as a new kernel there would start."""
    for name in ("REMIX_FOLDER", "REMIX_CHECKS", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)

    def starts(name, notebook=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        monkeypatch.setattr("remix_utils.checks.place.START", folder)
        if notebook:
            monkeypatch.setenv("JPY_SESSION_NAME", str(folder / notebook))
        return folder

    return starts


def test_an_experiment_costs_as_many_edges_as_it_cuts(pair):
    """An edge that is named twice is cut once, and equal experiments are one."""
    pair("one")
    budget = EdgeBudget("d9.1", 5)
    assert budget.spend([A]) == 4
    assert budget.spend([B, C, B]) == 2
    assert budget.spend([C, B]) == 2
    assert budget.spend([B]) == 1
    assert repr(budget) == "d9.1: 3 experiments so far, 1 of 5 edges left"


def test_a_new_kernel_finds_the_budget_as_it_was(pair):
    """Restarting does not refill it, and running all cells again costs nothing."""
    pair("one")
    EdgeBudget("d9.1", 5).spend([A, B])
    fresh = EdgeBudget("d9.1", 5)
    assert fresh.left == 3
    assert fresh.spend([A, B]) == 3
    assert EdgeBudget("d9.2", 5).left == 5


def test_what_the_budget_does_not_cover_is_refused_and_costs_nothing(pair):
    """The message has the three numbers and the way out; an experiment that fits still runs."""
    pair("one")
    budget = EdgeBudget("d9.1", 2)
    budget.spend([A])
    with pytest.raises(BudgetError) as refused:
        budget.spend([B, C])
    assert str(refused.value) == (
        "d9.1: this experiment cuts 2 edges, and 1 of 2 are left.\n"
        "  fix: cut fewer edges at once, or decide with the experiments that you have."
    )
    assert (refused.value.cut, refused.value.left, refused.value.edges) == (2, 1, 2)
    assert budget.spend([B]) == 0
    with pytest.raises(BudgetError, match="cuts no edge"):
        budget.spend([])


def test_two_folders_have_two_budgets(pair, tmp_path, monkeypatch):
    """Two pairs on one machine, also where REMIX_FOLDER is the same for both."""
    for shared in (None, str(tmp_path / "shared")):
        if shared:
            monkeypatch.setenv("REMIX_FOLDER", shared)
        pair("one")
        EdgeBudget("d9.1", 5).spend([A])
        pair("two")
        assert EdgeBudget("d9.1", 5).left == 5
        pair("one")
        assert EdgeBudget("d9.1", 5).left == 4


def test_two_notebooks_of_a_folder_have_two_budgets(pair):
    """A copy of the notebook, for a second pair or a second try, has its own."""
    pair("one", "part4_boss.ipynb")
    EdgeBudget("d9.1", 5).spend([A])
    pair("one", "part4_boss-Copy1.ipynb")
    assert EdgeBudget("d9.1", 5).left == 5


def test_the_file_is_only_added_to(pair):
    """One line an experiment, earlier lines untouched; half a line, from a crash, is passed over."""
    folder = pair("one", "boss.ipynb")
    budget = EdgeBudget("d9.1", 5)
    budget.spend([A])
    path = folder / ".remix" / "edge_budget" / "d9.1-boss.jsonl"
    first = path.read_text()
    assert json.loads(first)["edges"] == [list(A)]
    budget.spend([B, C])
    assert path.read_text().startswith(first)
    with path.open("a") as file:
        file.write('{"time": 1, "edg')
    assert EdgeBudget("d9.1", 5).left == 2
    EdgeBudget("d9.1", 5).spend([C])
    assert EdgeBudget("d9.1", 5).left == 1


def test_the_budget_holds_in_memory_where_nothing_can_be_written(pair):
    """It lasts as long as the kernel, and work goes on."""
    folder = pair("one")
    (folder / ".remix").write_text("")
    budget = EdgeBudget("d9.1", 2)
    assert budget.spend([A]) == 1
    with pytest.raises(BudgetError, match="cuts 2 edges, and 1 of 2 are left"):
        budget.spend([B, C])


def test_a_grader_starts_with_a_fresh_budget(pair, monkeypatch, tmp_path):
    """Whatever was spent where the notebook was written, and without leaving a file."""
    folder = pair("one")
    EdgeBudget("d9.1", 2).spend([A, B])
    before = sorted(folder.rglob("*"))
    monkeypatch.setenv("REMIX_CHECKS", str(tmp_path))
    budget = EdgeBudget("d9.1", 2)
    assert budget.left == 2
    assert budget.spend([C]) == 1
    assert EdgeBudget("d9.1", 2).left == 2
    assert sorted(folder.rglob("*")) == before
