"""Paths sum to the node that they lead to, and each is the product of the matrices along it."""

import pytest
import torch

from remix_utils.circuits.paths import path_expansion, virtual_pattern
from remix_utils.circuits.stream import split_heads
from remix_utils.circuits.weights import full_ov
from remix_utils.errors import MatchError, RewriteError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add
from remix_utils.graph.select import find_one
from remix_utils.models.transformer import untrained
from tests.models.small_transformers import KINDS, loaded, network, outputs, tokens

GIVEN = tokens(rows=3, seq=7)


def close(value, expected):
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("which", ["logits", "blocks.1.attn.head.2.q", "blocks.1.resid_pre"])
@pytest.mark.parametrize("kind", KINDS)
def test_paths_sum_to_the_node(kind, which):
    """Whatever the network and the node, biases and MLPs included, nothing is lost and nothing is counted twice."""
    graph = split_heads(loaded(kind).graph(seq=7))
    paths = path_expansion(graph, which)
    close(*evaluate([add(*paths.values()), find_one(graph, which)], {"tokens": GIVEN}))
    assert ("embed",) in paths and ("embed", (0, 3)) in paths
    assert (("embed", (0, 3), (1, 2)) in paths) == (which == "logits")


def test_a_path_is_its_patterns_and_its_weights():
    """The direct path, single heads and virtual heads equal plain torch: patterns of hooks, times weights."""
    module, model = network("no norm"), loaded("no norm")
    seen, weights = outputs(module, GIVEN), model.weights
    paths = path_expansion(model.graph(seq=7))
    values = dict(zip(paths, evaluate(list(paths.values()), {"tokens": GIVEN}), strict=True))
    assert len(values) == 1 + 4 + 4 + 16
    patterns = [seen[f"blocks.{layer}.attn.pattern"] for layer in (0, 1)]
    products = [
        [weights[f"blocks.{layer}.attn.W_V"][head] @ weights[f"blocks.{layer}.attn.W_O"][head] for head in range(4)]
        for layer in (0, 1)
    ]
    embed, unembed = weights["embed.W_E"][GIVEN], weights["unembed.W_U"]
    close(values["embed",], embed @ unembed)
    for head in range(4):
        for layer in (0, 1):
            moved = patterns[layer][:, head] @ embed @ products[layer][head] @ unembed
            close(values["embed", (layer, head)], moved)
        for later in range(4):
            pattern = patterns[1][:, later] @ patterns[0][:, head]
            close(
                values["embed", (0, head), (1, later)],
                pattern @ embed @ products[0][head] @ products[1][later] @ unembed,
            )


def test_a_virtual_head_has_a_pattern_and_a_circuit_of_its_own():
    """A virtual head's path is its pattern times the rows of its full OV circuit, whether heads are split or not."""
    model = loaded("no norm")
    graph = model.graph(seq=7)
    path = path_expansion(graph)["embed", (0, 3), (1, 2)]
    rows = full_ov(model, (0, 3), (1, 2)).full()[GIVEN]
    for each in (graph, split_heads(graph)):
        pattern, value = evaluate([virtual_pattern(each, (0, 3), (1, 2)), path], {"tokens": GIVEN})
        close(pattern @ rows, value)
        close(pattern.sum(-1), torch.ones(3, 7))


def test_queries_come_from_sources():
    """Of a query's sources each is named: the embedding, its position, the heads below, biases."""
    sources = path_expansion(loaded("shortformer").graph(seq=7), "blocks.1.attn.head.2.q")
    starts = {path for path in sources if len(path) == 1}
    assert {("embed",), ("pos_embed",), ("blocks.1.attn.head.2.b_Q",), ("blocks.0.attn.b_O",)} <= starts
    assert {path[1:] for path in sources} == {(), *(((0, head),) for head in range(4))}


def test_too_many_paths_and_missing_heads_are_refused():
    """Paths are counted before they are built; a head that is not there has no pattern."""
    deep = untrained(n_layers=6, n_heads=8, d_model=16, n_ctx=8, d_vocab=5, norm="none", attn_bias=False).graph(seq=4)
    with pytest.raises(RewriteError, match="1,062,882 paths"):
        path_expansion(deep)
    graph = loaded("shortformer").graph(seq=7)
    for each in (graph, split_heads(graph)):
        for head in ((0, 4), (2, 0), (0, -1)):
            with pytest.raises(MatchError, match="No attention pattern of head"):
                virtual_pattern(each, head)
    with pytest.raises(MatchError):
        path_expansion(graph, "blocks.7.attn_out")
