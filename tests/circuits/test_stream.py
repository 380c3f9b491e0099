"""The residual stream: who wrote to it, as the module's hooks say, and how the logits are read from it."""

import pytest
import torch

from remix_utils.circuits.stream import components, direct_logits, head_outputs, readout
from remix_utils.errors import MatchError, ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.intervene import ablate
from remix_utils.models.catalogue import load
from tests.models.small_transformers import KINDS, loaded, network, outputs, tokens

GIVEN = tokens(rows=3, seq=9)


def close(value, expected):
    torch.testing.assert_close(value.expand_as(expected), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_components_are_what_hooks_see_and_sum_to_the_stream(kind):
    """Embedding, heads and MLPs equal the module's, and all components together are the stream before the last norm."""
    module = network(kind)
    seen = outputs(module, GIVEN)
    parts = evaluate(components(loaded(kind).graph(seq=9)), {"tokens": GIVEN})
    for name, value in parts.items():
        if ".head." in name:
            _, layer, _, _, head, _ = name.split(".")
            write = module.blocks[int(layer)].attn.W_O[int(head)]
            close(value, seen[f"blocks.{layer}.attn.z"][:, :, int(head)] @ write)
        elif name in seen:
            close(value, seen[name])
        else:
            assert name in ("blocks.0.attn.b_O", "blocks.1.attn.b_O")
    assert sum(".head." in name for name in parts) == 8 and "embed" in parts
    close(torch.stack([value.expand(3, 9, 32) for value in parts.values()]).sum(0), seen["blocks.1.resid_post"])


@pytest.mark.parametrize("kind", KINDS)
def test_direct_logits_sum_to_the_logits(kind):
    """With the scale of the last norm held, what components add to the logits sums to them, but for the biases."""
    model = loaded(kind)
    graph, module = model.graph(seq=9), network(kind)
    values = evaluate([direct_logits(graph, node) for node in components(graph).values()], {"tokens": GIVEN})
    logits = module(GIVEN)
    total = torch.stack([value.expand_as(logits) for value in values]).sum(0)
    bias = getattr(module.ln_final, "b", torch.zeros(32)) @ (
        module.embed.W_E.T if module.config.tied else module.unembed.W_U
    )
    close(total + bias + (0 if module.unembed.b_U is None else module.unembed.b_U), logits)


def test_a_head_that_was_ablated_or_split_before():
    """A head's output is found whether its layer was split already or not, and an ablated head adds nothing."""
    model = loaded("shortformer")
    graph = split(model.graph(seq=9), "blocks.0.attn_out", "head")
    ablated = head_outputs(ablate(graph, model.head(0, 2), "zero"))
    assert list(ablated) == [(layer, head) for layer in (0, 1) for head in range(4)]
    close(evaluate(ablated[0, 2], {"tokens": GIVEN}), torch.zeros(9, 32))
    close(evaluate(ablated[0, 1], {"tokens": GIVEN}), evaluate(head_outputs(graph)[0, 1], {"tokens": GIVEN}))


def test_a_metric_above_the_logits_changes_nothing():
    """The logits are found below what is computed from them."""
    graph = loaded("shortformer").graph(seq=9)
    last = index(graph, (-1, 3))
    assert readout(last).logits is graph and components(last).keys() == components(graph).keys()


def test_what_has_no_stream_is_refused():
    """Graphs without logits or heads, heads in groups, and nodes of another shape."""
    model = loaded("shortformer")
    graph = model.graph(seq=9)
    with pytest.raises(MatchError, match="is not read from a residual stream"):
        components(placeholder("logits", (4,)))
    with pytest.raises(MatchError):
        head_outputs(load("digits-a").graph())
    with pytest.raises(MatchError, match=r"attn\.head\.1-2\.out' is the output of several heads"):
        head_outputs(split(graph, "blocks.0.attn_out", "head", parts=[[0], [1, 2], [3]]))
    with pytest.raises(ShapeError, match="is not like"):
        direct_logits(graph, graph)
