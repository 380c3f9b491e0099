"""Balanced prompts: as many of every template in both orders, different for every seed."""

from collections import Counter

import pytest

from remix_utils.errors import DataError
from remix_utils.tasks import ioi


def test_every_template_comes_as_often_in_both_orders():
    """3 each make 90 prompts, 3 for each of 15 templates and 2 orders."""
    found = Counter((prompt.template, prompt.order) for prompt in ioi.balanced(3))
    assert found == {(template, order): 3 for template in ioi.TEMPLATES for order in ("ABBA", "BABA")}


def test_seeds_share_no_names_by_construction():
    """The same seed gives the same prompts; another seed, another template and another order other names."""
    assert ioi.balanced(2, seed=1).texts == ioi.balanced(2, seed=1).texts
    pairs = [(prompt.IO, prompt.S1) for seed in range(3) for prompt in ioi.balanced(2, seed=seed)]
    assert len(set(pairs)) > 0.95 * len(pairs)


def test_words_are_those_that_are_given():
    """Names, places and objects come from the lists that are passed, and a flip draws from these names."""
    names, places = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo"), ("store",)
    found = ioi.balanced(2, templates=ioi.TEMPLATES[:3], names=names, places=places, objects=("ring",))
    assert {prompt.place for prompt in found} == {"store"} and {prompt.IO for prompt in found} <= set(names)
    assert {prompt.IO for prompt in found.flip("IO")} <= set(names)


def test_nothing_to_draw_is_refused():
    """No prompt of each, and no template."""
    with pytest.raises(DataError):
        ioi.balanced(0)
    with pytest.raises(DataError):
        ioi.balanced(1, templates=[])
