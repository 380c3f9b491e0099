"""What is planned is what happens: stages, rows and floating-point operations."""

import pytest
import torch

from remix_utils.errors import BoundsError
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder, sample
from remix_utils.graph.rules import lift

X = placeholder("x", (100,))


def test_stages_are_constants_population_and_draws():
    """What no row changes comes first, then the population, then what is drawn from it (trap 4)."""
    weights = einsum("i, i -> i", array(torch.ones(100)), array(torch.ones(100)), name="weights")
    rows = torch.tensor([3, 3, 0])
    drawn = sample(add(X, weights, name="below"), rows)
    node = apply("softmax", add(drawn, apply("relu", drawn)), name="above")
    stages = plan(node, {"x": torch.randn(10, 100)}).stages
    assert [(stage.name, stage.rows) for stage in stages] == [("constants", 1), ("population", 2), ("3 draws", 3)]
    assert [[n.name for n in stage.keep] for stage in stages] == [["weights"], ["below"], ["above"]]


def test_only_rows_that_are_read_are_computed():
    """Two draws from a thousand rows cost two rows, lifted or not; beside a result that has all rows, what was lifted
    is computed on all of them, so that there lifting does not pay (trap 3)."""
    few = torch.tensor([17, 900])
    node = apply("softmax", apply("exp", sample(X, few)))
    inputs = {"x": torch.randn(1000, 100)}
    for graph in (node, lift(node)):
        assert plan(graph, inputs).flops == 2 * 2 * 5 * 100
    assert plan([node, apply("exp", X)], inputs).flops == (1000 + 2 + 2) * 5 * 100
    assert plan([lift(node), apply("exp", X)], inputs).flops == (1000 + 1000) * 5 * 100
    torch.testing.assert_close(evaluate(lift(node), inputs), inputs["x"][few].exp().softmax(-1))


def test_drawing_a_row_often_costs_it_once():
    """Lifted, a thousand draws of three rows compute three rows and gather them (trap 3)."""
    rows = torch.randint(3, (1000,), generator=torch.Generator().manual_seed(0))
    node = apply("softmax", sample(X, rows))
    inputs = {"x": torch.randn(3, 100)}
    assert (plan(node, inputs).flops, plan(lift(node), inputs).flops) == (1000 * 500, 3 * 500)


def test_operations_are_counted():
    """A product is two operations for each multiplication, a weighted sum two for each term, a function five."""
    x, w = placeholder("x", (4, 3)), array(torch.ones(3, 2))
    product = einsum("s i, i o -> s o", x, w)
    inputs = {"x": torch.ones(10, 4, 3)}
    assert plan(product, inputs).flops == 10 * 2 * 4 * 3 * 2
    assert plan([product, add(product, product), apply("relu", product)], inputs).flops == 10 * (48 + 32 + 40)
    assert plan(index(product, 0), inputs).flops == 10 * 2 * 3 * 2


def test_rows_are_drawn_from_the_population_that_is_there():
    """A row beyond it is refused before any work, with both numbers."""
    with pytest.raises(BoundsError, match="row 7 is drawn from a population of 5 rows"):
        plan(sample(X, torch.tensor([0, 7])), {"x": torch.ones(5, 100)})


def test_a_plan_reads_as_text():
    """One line a stage, then the chunks and the bytes."""
    text = str(plan(sample(apply("relu", X), torch.tensor([0, 1])), {"x": torch.ones(5, 100)}, batch_size=1))
    assert [line.split(":")[0] for line in text.splitlines()[:-1]] == ["population", "2 draws"]
    assert text.splitlines()[-1].startswith("chunks of 1 rows, at most 0.0 MiB")
