"""GPT-2-small is recognised by its sizes and weights, and published figures stand beside it alone."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from remix_utils import models
from remix_utils.models.gpt2_small import EMBEDDING, SIZES, is_gpt2_small
from remix_utils.models.transformer import untrained
from tests import tiny_gpt2

MASTERS = sorted(Path(__file__).parents[2].glob("solutions/day5_ioi/part*.py"))
BESIDE_OTHERS = {"part6_elsewhere"}  # compares models on purpose; its table names the column


@pytest.fixture(scope="module")
def random_gpt2():
    """A random network of GPT-2-small's shape, under its name."""
    return replace(untrained(activation="gelu_tanh", tied=True, **SIZES), name="gpt2")


def with_entries(model, entries, dtype=torch.float32):
    """The model with some entries in its embedding's rows, three at each end."""
    table = model.weights["embed.W_E"].clone()
    for row, values in entries.items():
        table[row, :3], table[row, -3:] = torch.tensor(values[:3]), torch.tensor(values[3:])
    return replace(model, weights={**model.weights, "embed.W_E": table.to(dtype)})


def test_a_random_gpt2_of_the_full_shape_is_not_gpt2_small(random_gpt2):
    """Its shape and its name are right, and its weights aren't."""
    assert not is_gpt2_small(random_gpt2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_gpt2_small_has_any_name_and_precision(random_gpt2, dtype):
    """The entries of the embedding decide, also where the file holds them in half precision."""
    found = with_entries(random_gpt2, EMBEDDING, dtype)
    assert is_gpt2_small(replace(found, name="a/folder"))


def test_one_other_entry_is_another_model(random_gpt2):
    """A model that was trained further has moved."""
    moved = {**EMBEDDING, 1: (*EMBEDDING[1][:5], EMBEDDING[1][5] + 0.002)}
    assert not is_gpt2_small(with_entries(random_gpt2, moved))


@pytest.mark.parametrize("size", ["n_layers", "n_heads", "n_ctx"])
def test_another_size_is_another_model(random_gpt2, size):
    """A network of another shape may have the same embedding."""
    other = {**random_gpt2.config, size: random_gpt2.config[size] // 2}
    assert not is_gpt2_small(replace(with_entries(random_gpt2, EMBEDDING), config=other))


def test_a_small_gpt2_with_the_name_is_not_gpt2_small(tmp_path):
    """A tiny random GPT-2 in a folder called gpt2-tiny."""
    assert not is_gpt2_small(models.load(str(tiny_gpt2.save(tmp_path / "gpt2-tiny"))))


class Published(ast.NodeVisitor):
    """Finds texts about published figures or GPT-2, and whether `if is_gpt2:` stands around them."""

    def __init__(self):
        self.inside, self.guarded, self.bare = 0, [], []

    def visit_If(self, node):
        own = isinstance(node.test, ast.Name) and node.test.id == "is_gpt2"
        self.inside += own
        for each in node.body:
            self.visit(each)
        self.inside -= own
        for each in node.orelse:
            self.visit(each)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and ("published" in node.value or "GPT-2" in node.value):
            (self.guarded if self.inside else self.bare).append(node.value)


@pytest.mark.parametrize("master", MASTERS, ids=[master.stem for master in MASTERS])
def test_published_figures_are_printed_beside_gpt2_small_only(master):
    """No cell looks at the model's name, and every published figure stands under `if is_gpt2:`."""
    text = master.read_text(encoding="utf-8")
    assert '"gpt2" in' not in text
    if master.stem in BESIDE_OTHERS:
        return
    found = Published()
    found.visit(ast.parse(text))
    assert found.bare == []
    assert text.count("is_gpt2 = is_gpt2_small(model)") == bool(found.guarded)


def test_figures_are_published_in_four_parts():
    """The test above finds texts at all."""
    count = 0
    for master in MASTERS:
        found = Published()
        found.visit(ast.parse(master.read_text(encoding="utf-8")))
        count += len(found.guarded)
    assert count >= 9
