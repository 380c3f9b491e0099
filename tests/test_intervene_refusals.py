"""What interventions refuse, and with which words."""

import pytest
import torch

from remix_utils.errors import DataError, InputError, MatchError, NanError, RewriteError, ShapeError
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.intervene import ablate, freeze, patch, path_patch
from tests.refusals import Mistake, assert_well_made, error_of, judged, raise_sites, raised_at

X, Y = placeholder("x", (3,)), placeholder("y", (3,))
SUM = add(einsum("i, i j -> j", X, array(torch.eye(3), "W"), name="product"), Y, name="sum")
WHOLE = apply("abs", placeholder("n", (), torch.long), name="whole")
BOTH = {"x": torch.ones(2, 3), "y": torch.ones(2, 3)}
MISTAKES = {
    "an ablation that there is not": Mistake(RewriteError, ("'median'",), lambda: ablate(SUM, "sum", "median", BOTH)),
    "means of nothing": Mistake(DataError, ("'mean'",), lambda: ablate(SUM, "sum", "mean")),
    "rows of nothing": Mistake(DataError, ("'resample'",), lambda: ablate(SUM, "sum", "resample")),
    "a mean of whole numbers": Mistake(
        RewriteError, ("'whole'", "int64"), lambda: ablate(WHOLE, "whole", "mean", {"n": torch.arange(3)})
    ),
    "a mean over NaN": Mistake(
        NanError, ("'x'", "[0, 0]"), lambda: ablate(SUM, "sum", "mean", BOTH | {"x": torch.full((2, 3), torch.nan)})
    ),
    "a mean without a column": Mistake(DataError, ("'y'", "'x'"), lambda: ablate(SUM, "sum", "mean", {"x": BOTH["x"]})),
    "frozen without a column": Mistake(DataError, ("'y'", "'x'"), lambda: freeze(SUM, "sum", {"x": BOTH["x"]})),
    "a column of another shape": Mistake(
        ShapeError, ("'x'", "[4]", "[3]"), lambda: freeze(SUM, "product", {"x": torch.ones(2, 4)})
    ),
    "a column of another dtype": Mistake(
        ShapeError, ("'x'", "int64", "float32"), lambda: freeze(SUM, "product", {"x": torch.ones(2, 3).long()})
    ),
    "freezing what reads no input": Mistake(MatchError, ("'W'",), lambda: freeze(SUM, "W", BOTH)),
    "resampling what reads no input": Mistake(MatchError, ("'W'",), lambda: ablate(SUM, "W", "resample", BOTH)),
    "ablating what is not there": Mistake(
        MatchError, ("'prodcut'", "'product'"), lambda: ablate(SUM, "prodcut", "zero")
    ),
    "a patch of another shape": Mistake(
        ShapeError, ("[2, 3]", "Einsum 'product' [3]"), lambda: patch(SUM, "product", torch.ones(2, 3))
    ),
    "corrupting nothing": Mistake(InputError, ("nothing", "'x'"), lambda: path_patch(SUM, "sum", {})),
    "corrupting what is no input": Mistake(InputError, ("'z'", "'x', 'y'"), lambda: path_patch(SUM, "sum", {"z": Y})),
    "corrupting with another shape": Mistake(
        ShapeError, ("Placeholder 'x' [3]", "'n'"), lambda: path_patch(SUM, "sum", {"x": WHOLE.children[0]})
    ),
    "corrupting with a tensor": Mistake(
        ShapeError, ("Placeholder 'x' [3]", "a Tensor"), lambda: path_patch(SUM, "sum", {"x": torch.ones(3)})
    ),
    "corrupting what does not read it": Mistake(
        MatchError, ("'product'", "'y'"), lambda: path_patch(SUM, "product", {"y": X})
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_gets_its_message(name, snapshot):
    """The message names the node, the input or the column, and is word for word what it was."""
    assert judged(MISTAKES[name]) == snapshot
    assert_well_made(error_of(MISTAKES[name].made))


def test_no_error_goes_untested():
    """Every `raise` of the room is reached by a mistake above."""
    reached = {place for mistake in MISTAKES.values() for place in raised_at(error_of(mistake.made))}
    assert sorted(raise_sites("intervene") - reached) == []
