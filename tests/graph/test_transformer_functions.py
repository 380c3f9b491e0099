"""What transformers ask of the graph: their functions, and splitting what has a bias or shares its keys."""

import subprocess
import sys

import pytest
import torch

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.rules import expand_layernorm, fold_layernorm
from remix_utils.graph.select import find, find_one


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def same_after_index(node, at, inputs):
    """An index above a node is the same as the node's value indexed, though it is pushed down when evaluated."""
    whole = evaluate(node, inputs)
    torch.testing.assert_close(evaluate(index(node, at), inputs), whole[(slice(None), *at)], atol=1e-6, rtol=1e-6)


def test_masked_softmax_is_softmax_over_what_is_allowed():
    """Entries outside a mask get exactly 0, the others the softmax among themselves; all masks must hold."""
    x, causal, real = random(2, 3, 4, 4), torch.ones(4, 4).tril().bool(), torch.tensor([[1, 1, 0, 1], [0, 1, 1, 1]]) > 0
    node = apply("masked_softmax", placeholder("x", (3, 4, 4)), array(causal), placeholder("real", (4,), torch.bool))
    value = evaluate(node, {"x": x, "real": real})
    allowed = causal & real[:, None, None, :]
    expected = torch.nan_to_num(x.masked_fill(~allowed, -torch.inf).softmax(-1))
    seen = allowed.any(-1, keepdim=True)
    torch.testing.assert_close(value * seen, expected)
    assert not value.isnan().any() and value[0, :, 3, 2].eq(0).all()
    same_after_index(node, (1, slice(2, 4)), {"x": x, "real": real})


def test_rmsnorm_and_layernorm_take_an_eps():
    """Without an eps it is 1e-5; a child says another."""
    x, w, b = random(5, 8), random(8, seed=1), random(8, seed=2)
    X, W, B = placeholder("x", (8,)), array(w), array(b)
    for eps, child in ((1e-5, ()), (0.3, (array(0.3),))):
        rms = x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * w
        norm = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + eps).sqrt() * w + b
        rmsnorm = apply("rmsnorm", X, W, *child, name="ln")
        torch.testing.assert_close(evaluate(rmsnorm, {"x": x}), rms)
        opened = expand_layernorm(rmsnorm, "ln")
        torch.testing.assert_close(evaluate(opened, {"x": x}), rms)
        torch.testing.assert_close(evaluate(find_one(opened, "ln.normalized"), {"x": x}), rms / w)
        layernorm = apply("layernorm", X, W, B, *child, name="ln")
        torch.testing.assert_close(evaluate(layernorm, {"x": x}), norm)
        torch.testing.assert_close(evaluate(expand_layernorm(layernorm, "ln"), {"x": x}), norm)
        out = einsum("i, i o -> o", layernorm, array(random(8, 3)))
        torch.testing.assert_close(evaluate(fold_layernorm(out, "ln"), {"x": x}), norm @ random(8, 3))


def test_positions_count_from_the_first_real_token():
    """Left padding does not shift positions."""
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]) > 0
    value = evaluate(apply("positions", placeholder("mask", (5,), torch.bool)), {"mask": mask})
    assert value.tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]


def test_rotary_makes_scores_depend_on_distance_only():
    """Turned queries and keys have scores that stay the same when both move by the same number of positions."""
    frequencies = array(torch.tensor([1.0, 0.1, 0.01]))

    def turned(name, places):
        angles = apply("rotary_angles", array(torch.tensor(places)), frequencies)
        return apply("rotary", placeholder(name, (1, 2, 8)), angles)

    def scores(query, key):
        product = einsum("q head d, k head d -> head q k", turned("q", [query]), turned("k", [key]))
        return evaluate(product, {"q": random(4, 1, 2, 8), "k": random(4, 1, 2, 8, seed=1)})

    torch.testing.assert_close(scores(7, 3), scores(14, 10), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(scores(7, 3), scores(7, 4), atol=1e-2)
    q = random(4, 1, 2, 8)
    assert torch.equal(evaluate(turned("q", [5]), {"q": q})[..., 6:], q[..., 6:])
    same_after_index(turned("q", [5]), (0, 1), {"q": q})


@pytest.mark.parametrize("weights", [None, [2.0, -1.0]])
def test_a_sum_with_a_bias_splits(weights):
    """A product summed over heads plus a bias becomes an add of the heads and the bias."""
    z, w, b = placeholder("z", (3, 4)), array(random(3, 4, 5)), array(random(5, seed=1), "b")
    graph = add(einsum("head d, head d e -> e", z, w, name="attn_out.product"), b, weights=weights, name="attn_out")
    parts = split(graph, "attn_out", "head")
    assert [child.name for child in parts.children] == [*(f"attn.head.{head}.out" for head in range(3)), "b"]
    inputs = {"z": random(6, 3, 4, seed=2)}
    torch.testing.assert_close(evaluate(parts, inputs), evaluate(graph, inputs))


def test_heads_that_share_keys_have_keys_of_their_own_when_split():
    """An unnamed index, which repeats keys for several heads, is passed through on the way to the shared weights."""
    x, w = placeholder("x", (4,)), array(random(2, 4, 3), "attn.W_K")
    keys = einsum("model, shared model d -> shared d", x, w, name="attn.k")
    repeated = index(keys, torch.tensor([0, 0, 1, 1]), name="index")
    graph = einsum("head d, head d e -> e", repeated, array(random(4, 3, 5), "attn.W_O"), name="attn_out")
    parts = split(graph, "attn_out", "head")
    assert len(find(parts, "attn.head.*.k")) == 4
    inputs = {"x": random(6, 4, seed=2)}
    torch.testing.assert_close(evaluate(parts, inputs), evaluate(graph, inputs))
    third = evaluate(find_one(parts, "attn.head.2.k"), inputs)
    torch.testing.assert_close(third, evaluate(keys, inputs)[:, 1])


def test_shapes_are_found_without_what_takes_seconds_to_import():
    """A function's shape is found at once from the first node on; large ones are found without their values."""
    program = (
        "import sys, torch; from remix_utils import apply, array, placeholder;"
        "apply('embed', placeholder('tokens', (5,), torch.long), array(torch.ones(50_000, 8)));"
        "apply('masked_softmax', placeholder('scores', (4, 9, 9)), array(torch.ones(9, 9) > 0));"
        "print('sympy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
    large = apply("relu", placeholder("x", (2**11, 2**11)))
    assert large.shape == (2**11, 2**11) and large.dtype == torch.float32
