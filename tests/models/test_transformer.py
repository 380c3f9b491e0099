"""The graph of a transformer: the same numbers as the module under every name, and edits that equal hooks."""

import pytest
import torch

from remix_utils.errors import MatchError
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.ops import index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.rules import expand_layernorm
from remix_utils.graph.select import find, find_one
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from remix_utils.intervene import patch, path_patch
from remix_utils.models.model import ModelError
from remix_utils.models.transformer import model, untrained
from tests.models.small_transformers import EVERY_KIND, SIZES, loaded, network, outputs, tokens

# what a module computes that the graph has no node for: whole blocks and layers, named by their last step instead
LAYERS = {"", "blocks.0", "blocks.1", "unembed", "rotary"} | {
    f"blocks.{n}.{x}" for n in (0, 1) for x in ("attn", "mlp")
}


def padding(kind):
    mask = torch.ones(3, 16, dtype=torch.bool)
    mask[1, :4] = mask[2, :1] = False
    return mask.flip(1) if kind == "classifier" else mask


def close(value, expected):
    torch.testing.assert_close(value.expand_as(expected), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_name_has_the_modules_value(kind, masked):
    """Whatever can be hooked in the module is a node of that name with that value, to 1e-5."""
    inputs = {"tokens": tokens(), **({"mask": padding(kind)} if masked else {})}
    seen = outputs(network(kind), *inputs.values())
    nodes = {node.name: node for node in children_first(loaded(kind).graph(seq=16, mask=masked))}
    norms = {name for name in seen if ".ln" in name or name.startswith("ln")} if kind == "no norm" else set()
    assert set(seen) - set(nodes) - LAYERS - norms == set()
    shared = {name: node for name, node in nodes.items() if name in seen and name != "rotary"}
    for name, value in evaluate(shared, inputs).items():
        close(value, seen[name])


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_padding_changes_nothing(kind):
    """Real tokens have the same logits whatever stands in the padding, and the same as without it."""
    mask, given = padding(kind), tokens()
    graph = loaded(kind).graph(seq=16, mask=True)
    before = evaluate(graph, {"tokens": given, "mask": mask})
    after = evaluate(graph, {"tokens": torch.where(mask, given, 7), "mask": mask})
    alone = evaluate(loaded(kind).graph(seq=12), {"tokens": given[1][mask[1]]})
    if kind == "classifier":
        close(after, before)
        close(before[1], alone)
    else:
        close(after[mask], before[mask])
        close(before[1, 4:], alone)


def test_without_a_mask_there_is_no_placeholder_for_one():
    """The mask is present only when asked for, and then scores meet it in every layer."""
    graphs = [loaded("gpt2").graph(seq=5, mask=mask) for mask in (False, True)]
    assert [node.name for node in find(graphs[0], at(op="placeholder"))] == ["tokens"]
    assert {node.name for node in find(graphs[1], at(op="placeholder"))} == {"tokens", "mask"}
    assert all("mask" in [child.name for child in node.children] for node in find(graphs[1], "*.pattern"))


def test_shortformer_positions_reach_queries_and_keys_only():
    """Values and the residual stream of the first layer know nothing of positions."""
    graph = loaded("shortformer").graph(seq=8)
    for part, positions in (("q", 1), ("k", 1), ("v", 0)):
        below = children_first(find_one(graph, f"blocks.0.attn.{part}"))
        assert sum(node.name == "pos_embed" for node in below) == positions, part
    assert all(node.name != "pos_embed" for node in children_first(find_one(graph, "blocks.0.resid_pre")))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_splitting_heads_keeps_values_and_names_every_part(kind):
    """All heads of both layers apart: the same logits; each head has its own q, k, v, scores, pattern, z and out."""
    loaded_model, given = loaded(kind), tokens()
    whole = loaded_model.graph(seq=16)
    apart = split(whole, "blocks.*.attn_out", "head")
    close(evaluate(apart, {"tokens": given}), evaluate(whole, {"tokens": given}))
    seen = outputs(network(kind), given)
    for layer, head in ((0, 0), (1, 3)):
        parts = {x: find_one(apart, f"blocks.{layer}.attn.head.{head}.{x}") for x in ("q", "k", "v", "pattern", "z")}
        parts["out"] = find_one(apart, loaded_model.head(layer, head))
        values = evaluate(parts, {"tokens": given})
        shared = head // (4 // loaded_model.config["n_kv_heads"])
        name = f"blocks.{layer}.attn"
        for letter, which in (("q", head), ("k", shared), ("v", shared), ("z", head)):
            close(values[letter], seen[f"{name}.{letter}"][:, :, which])
        close(values["pattern"], seen[f"{name}.pattern"][:, head])
        close(values["out"], seen[f"{name}.z"][:, :, head] @ loaded_model.weights[f"{name}.W_O"][head])


def test_the_head_selector_finds_one_node_of_each_split():
    """Whether one layer is split or all, `model.head` finds exactly the head's output."""
    gpt2 = loaded("gpt2")
    for which in ("blocks.1.attn_out", "blocks.*.attn_out"):
        apart = split(gpt2.graph(seq=4), which, "head")
        assert [find_one(apart, gpt2.head(1, head)).name[-5:] for head in range(4)] == [f"{h}.out" for h in range(4)]
    with pytest.raises(ModelError, match=r"no head 1\.4"):
        gpt2.head(1, 4)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "shortformer"])
def test_path_patching_a_head_to_later_queries_equals_hooks(kind):
    """Head 0.1's output, as it is on other tokens, reaches the queries of layer 1 alone, everything else is clean."""
    clean, corrupted, made = tokens(), tokens(seed=1), network(kind)
    other = placeholder("other", (16,), torch.long)
    graph = split(loaded(kind).graph(seq=16), "blocks.*.attn_out", "head")
    sender, way = loaded(kind).head(0, 1), at("blocks.1.attn.head.*.q")
    frozen = at("*.head.*.out") | at("*.mlp_out")
    patched = evaluate(
        path_patch(graph, (way >> sender).avoiding(frozen), {"tokens": other}), {"tokens": clean, "other": corrupted}
    )

    z = {name: outputs(network(kind), given)["blocks.0.attn.z"] for name, given in (("c", clean), ("o", corrupted))}
    change = (z["o"] - z["c"])[:, :, 1] @ made.blocks[0].attn.W_O[1]
    block, shared = made.blocks[1], outputs(network(kind), clean)
    positions = shared["pos_embed"] if kind == "shortformer" else 0
    queries = torch.einsum(
        "bsm, hmd -> bshd", block.ln1(shared["blocks.1.resid_pre"] + change) + positions, block.attn.W_Q
    )
    queries = queries + (0 if block.attn.b_Q is None else block.attn.b_Q)
    block.attn.q.register_forward_hook(lambda part, given, out: queries)
    close(patched, made(clean))
    assert (patched - network(kind)(clean)).abs().max() > 1e-3


def test_patching_a_node_equals_a_hook_that_returns_the_value():
    """A pattern put into the graph and one that a hook returns give the same logits."""
    pattern = torch.rand(4, 16, 16).softmax(-1)
    made = network("gpt2")
    made.blocks[1].attn.pattern.register_forward_hook(lambda part, given, out: pattern.expand_as(out))
    patched = patch(loaded("gpt2").graph(seq=16), "blocks.1.attn.pattern", pattern)
    close(evaluate(patched, {"tokens": tokens()}), made(tokens()))


def test_a_layernorm_opens_into_its_scale_and_what_it_normalized():
    """`blocks.1.ln1` is one node; the rule gives `.scale` and `.normalized`, and the same logits."""
    graph = loaded("gpt2").graph(seq=16)
    opened = expand_layernorm(graph, at("*.ln?") | at("ln_final"))
    inputs, x = {"tokens": tokens()}, outputs(network("gpt2"), tokens())["blocks.1.resid_pre"]
    close(evaluate(opened, inputs), evaluate(graph, inputs))
    scale = (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    close(evaluate(find_one(opened, "blocks.1.ln1.scale"), inputs), scale)
    close(evaluate(find_one(opened, "blocks.1.ln1.normalized"), inputs), (x - x.mean(-1, keepdim=True)) / scale)


def test_asking_for_the_last_position_computes_less():
    """An index on the logits sinks to the queries of the last layer: attention is computed for one position only."""
    graph, inputs = loaded("attention only").graph(seq=16), {"tokens": tokens()}
    last = index(graph, -1)
    close(evaluate(last, inputs), evaluate(graph, inputs)[:, -1])
    assert plan(last, inputs).flops < 0.75 * plan(graph, inputs).flops


def test_a_graph_is_built_in_milliseconds_however_large_the_weights():
    """Weights become nodes once, and graphs of any length share them."""
    gpt2 = loaded("gpt2")
    first, second = gpt2.graph(seq=4), gpt2.graph(seq=16)
    assert find_one(first, "blocks.0.mlp.W_in") is find_one(second, "blocks.0.mlp.W_in")


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_that_do_not_fit_are_refused(change):
    """The first weight that is missing, superfluous or of another shape is named."""
    made = network("gpt2")
    weights = made.state_dict()
    if change == "missing":
        del weights["blocks.1.attn.W_Q"]
    elif change == "extra":
        weights["blocks.1.attn.W_X"] = torch.zeros(2)
    else:
        weights["blocks.1.attn.W_O"] = torch.zeros(4, 32, 8)
    with pytest.raises(ModelError, match=r"weight 'blocks\.1\.attn\.W_[QXO]' is"):
        model("broken", weights, made.config, {}, None)


@pytest.mark.parametrize("which", ["blocks.1.attn_out", "blocks.0.mlp_out", "blocks.1.attn.q", "blocks.0.resid_post"])
def test_splitting_positions_keeps_values(which):
    """Any step of the network can be taken apart by position."""
    graph, inputs = loaded("gpt2").graph(seq=6), {"tokens": tokens(seq=6)}
    close(evaluate(split(graph, which, "position"), inputs), evaluate(graph, inputs))


def test_an_untrained_network_is_that_of_its_seed():
    """The same seed draws the same weights, another one others, and they are those of the module."""
    first, same, other = (untrained(seed, n_layers=1, n_heads=2, d_model=8, n_ctx=4, d_vocab=5) for seed in (3, 3, 4))
    assert all(torch.equal(value, same.weights[name]) for name, value in first.weights.items())
    assert not torch.equal(first.weights["embed.W_E"], other.weights["embed.W_E"])
    given = torch.tensor([[0, 4, 2]])
    close(evaluate(first.graph(seq=3), {"tokens": given}), first.module()(given))


def test_many_heads_are_one_selector():
    """It finds the outputs of all of them, refuses a head that the model lacks, and one that was not split off."""
    network = untrained(n_layers=3, n_heads=4, d_model=8, n_ctx=16, d_vocab=5)
    chosen = [(0, 1), (2, 3), (2, 0)]
    graph = split(network.graph(seq=5), "blocks.*.attn_out", "head")
    expected = {node for head in chosen for node in find(graph, network.head(*head))}
    assert set(find(graph, network.heads(chosen))) == expected and len(expected) == 3
    for wrong in ([(3, 0)], [(0, 4)], []):
        with pytest.raises(ModelError, match="fix: "):
            network.heads(wrong)
    part = split(network.graph(seq=5), "blocks.2.attn_out", "head")
    with pytest.raises(MatchError, match="1 of 3 names"):
        find(part, network.heads(chosen))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_default_dtype_changes_nothing(kind):
    """Weights before training, graph and module are float32, to the last bit, whatever torch's default is."""

    def values():
        made = untrained(**{**SIZES, **EVERY_KIND[kind]})
        return [evaluate(made.graph(seq=16), {"tokens": tokens()}), made.module()(tokens())]

    before = values()
    try:
        torch.set_default_dtype(torch.float64)
        after = values()
    finally:
        torch.set_default_dtype(torch.float32)
    for value, expected in zip(after, before, strict=True):
        assert value.dtype == torch.float32 and torch.equal(value, expected)
