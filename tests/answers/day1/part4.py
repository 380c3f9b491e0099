"""Answers to d1.4.7 to d1.4.10 and the quiz; and those of the whole part, gathered."""

from contextlib import ExitStack

import torch

from remix_utils import ablate, add, at, evaluate, find_one, patch, path_patch, split, update
from remix_utils.checks.day1.small_transformers import network as network_of
from remix_utils.circuits import full_ov, full_qk, head_outputs
from remix_utils.models import transformer
from tests.answers.day1 import part4_heads, part4_paths

# --- d1.4.7 -----------------------------------------------------------------------------------------------------------


def each(made, heads=lambda found: found, key="{}.{}"):
    """A graph for every head, made by `made(graph, layer, head, how, data)`."""

    def ablate_each_head(graph, how, data=None):
        graph = split(graph, "blocks.*.attn_out", "head")
        found = heads(list(head_outputs(graph)))
        return {key.format(*place): made(graph, *place, how, data) for place in found}

    return ablate_each_head


def name_of(layer, head):
    return f"blocks.{layer}.attn.head.{head}.out"


def by_name(graph, layer, head, how, data):
    return ablate(graph, name_of(layer, head), how, data)


def by_hand(graph, layer, head, how, data):
    """Zeros and means put there by hand; resampling left to the library."""
    node = find_one(graph, name_of(layer, head))
    if how == "resample":
        return ablate(graph, node, how, data)
    value = evaluate(node, data).mean(0) if how == "mean" else torch.zeros(node.shape)
    return patch(graph, node, value)


def in_turn(graph, how, data=None):
    """One after another, without ever going back to the whole graph."""
    graph, found = split(graph, "blocks.*.attn_out", "head"), {}
    for layer, head in head_outputs(graph):
        graph = ablate(graph, name_of(layer, head), how, data)
        found[f"{layer}.{head}"] = graph
    return found


def mean_over_positions(graph, layer, head, how, data):
    if how != "mean":
        return ablate(graph, name_of(layer, head), how, data)
    node = find_one(graph, name_of(layer, head))
    return patch(graph, node, evaluate(node, data).mean((0, 1)).expand(node.shape).clone())


def a_list(graph, how, data=None):
    return list(each(by_name)(graph, how, data).values())


# --- d1.4.8 -----------------------------------------------------------------------------------------------------------


def around_heads(graph, layer, head, other):
    """No way may pass another head's output."""
    graph = split(graph, "blocks.*.attn_out", "head")
    way = at(name_of(layer, head)).avoiding("blocks.*.attn.*")
    return path_patch(graph, way, {"tokens": other})


def by_the_stream(graph, layer, head, other):
    """The last stream, less what the head writes, plus what it writes on the other tokens."""
    node = head_outputs(graph)[layer, head]
    there = path_patch(node, node, {"tokens": other})
    stream = lambda x: add(x, node, there, weights=[1, -1, 1], name=x.name)
    return update(graph, at("ln_final").child(0), stream)


def all_ways(graph, layer, head, other):
    return path_patch(split(graph, "blocks.*.attn_out", "head"), name_of(layer, head), {"tokens": other})


def whole_layer(graph, layer, head, other):
    return path_patch(graph, at(f"blocks.{layer}.attn_out").avoiding("*.ln1"), {"tokens": other})


def whole_network(graph, layer, head, other):
    return path_patch(graph, "logits", {"tokens": other})


def turned_round(graph, layer, head, other):
    """All other paths on the other tokens."""
    node = head_outputs(graph)[layer, head]
    there = path_patch(node, node, {"tokens": other})
    whole = whole_network(graph, layer, head, other)
    return update(whole, at("ln_final").child(0), lambda x: add(x, node, there, weights=[1, 1, -1]))


def untouched(graph, layer, head, other):
    return split(graph, "blocks.*.attn_out", "head")


# --- d1.4.9 -----------------------------------------------------------------------------------------------------------


def with_hooks(network, tokens, values):
    """The logits with some modules' outputs exchanged."""
    with ExitStack() as stack:
        for name, value in values.items():
            hook = network.get_submodule(name).register_forward_hook(lambda module, inputs, out, value=value: value)
            stack.callback(hook.remove)
        return network(tokens)


def one_z(clean, corrupted, layer, head):
    z = clean[f"blocks.{layer}.attn.z"].clone()
    z[:, :, head] = corrupted[f"blocks.{layer}.attn.z"][:, :, head]
    return z


def zs_held(network, tokens, clean, corrupted, layer, head):
    """Every z is held, and one head's exchanged."""
    values = {name: value for name, value in clean.items() if name.endswith(".z")}
    return with_hooks(network, tokens, values | {f"blocks.{layer}.attn.z": one_z(clean, corrupted, layer, head)})


def by_the_last_stream(network, tokens, clean, corrupted, layer, head):
    """Without a hook: the last stream is a sum."""
    name = f"blocks.{layer}.attn.z"
    change = (corrupted[name] - clean[name])[:, :, head] @ network.blocks[layer].attn.W_O[head]
    stream = network.embed(tokens) + sum(value for each, value in clean.items() if each.endswith("attn_out"))
    return network.unembed(network.ln_final(stream + change))


def nobody_held(network, tokens, clean, corrupted, layer, head):
    return with_hooks(network, tokens, {f"blocks.{layer}.attn.z": one_z(clean, corrupted, layer, head)})


def all_heads_of_the_layer(network, tokens, clean, corrupted, layer, head):
    held = {name: value for name, value in clean.items() if name.endswith("attn_out")}
    return with_hooks(network, tokens, held | {f"blocks.{layer}.attn_out": corrupted[f"blocks.{layer}.attn_out"]})


def everything_held(network, tokens, clean, corrupted, layer, head):
    return with_hooks(network, tokens, {name: v for name, v in clean.items() if name.endswith("attn_out")})


def written_into(network, tokens, clean, corrupted, layer, head):
    name = f"blocks.{layer}.attn.z"
    clean[name][:, :, head] = corrupted[name][:, :, head]
    return zs_held(network, tokens, clean, corrupted, layer, head)


def leaking(network, tokens, clean, corrupted, layer, head):
    logits = zs_held(network, tokens, clean, corrupted, layer, head)
    network.ln_final.register_forward_hook(lambda module, inputs, out: None)
    return logits


# --- d1.4.10 ----------------------------------------------------------------------------------------------------------


def head_matrices(weights, layer, head):
    return [weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QKVO"]


def by_the_library(weights, layer, head):
    model = transformer.model("here", weights, network_of(weights).config, {}, None)
    return [full(model, (layer, head), folded=False).full() for full in (full_qk, full_ov)]


def by_einsum(weights, layer, head, scale=True, swap=False):
    q, k, v, o = head_matrices(weights, layer, head)
    e, u = weights["embed.W_E"], weights["unembed.W_U"]
    qk = torch.einsum("ad,dh,eh,be->ab", e, q, k, e) / (q.shape[1] ** 0.5 if scale else 1)
    ov = torch.einsum("ad,dh,he,eb->ab", e, v, o, u)
    return (ov, qk) if swap else (qk, ov)


def keys_by_queries(weights, layer, head):
    qk, ov = by_einsum(weights, layer, head)
    return qk.T, ov


def logits_by_tokens(weights, layer, head):
    qk, ov = by_einsum(weights, layer, head)
    return qk, ov.T


def no_unembedding(weights, layer, head):
    _, _, v, o = head_matrices(weights, layer, head)
    return by_einsum(weights, layer, head)[0], weights["embed.W_E"] @ v @ o


def in_the_stream(weights, layer, head):
    q, k, v, o = head_matrices(weights, layer, head)
    return q @ k.T / q.shape[1] ** 0.5, v @ o


RECALL = {"bias": "b_O", "held": "the scale", "paths": 81, "virtual": "B A", "direct": 0}

WRONG = [
    *part4_heads.WRONG,
    *part4_paths.WRONG,
    ("d1.4.7", in_turn, "the heads pile up"),
    (
        "d1.4.7",
        each(lambda graph, layer, head, how, data: ablate(graph, name_of(layer, head), "zero")),
        "hand `how` on",
    ),
    ("d1.4.7", each(mean_over_positions), "over positions, too"),
    (
        "d1.4.7",
        each(lambda graph, layer, head, *how: ablate(graph, name_of(layer, "*"), *how)),
        "all the heads of a layer",
    ),
    (
        "d1.4.7",
        each(by_name, heads=lambda found: [place for place in found if place[0] == 0]),
        "only the heads of layer 0",
    ),
    ("d1.4.7", each(by_name, key="blocks.{}.attn.head.{}.out"), "of the form"),
    ("d1.4.7", a_list, "expected a dict"),
    ("d1.4.8", all_ways, "every reader of the head"),
    ("d1.4.8", whole_layer, "all the heads of the layer"),
    ("d1.4.8", whole_network, "the whole network"),
    ("d1.4.8", turned_round, "the other way round"),
    ("d1.4.8", untouched, "nothing has changed"),
    ("d1.4.9", nobody_held, "every reader of the head"),
    ("d1.4.9", all_heads_of_the_layer, "all the heads of the layer"),
    ("d1.4.9", everything_held, "nothing has changed"),
    ("d1.4.9", written_into, "work on a clone"),
    ("d1.4.9", leaking, "still on the network"),
    ("d1.4.10", lambda *case: by_einsum(*case, scale=False), "QK is not scaled"),
    ("d1.4.10", lambda *case: by_einsum(*case, swap=True), "QK comes first"),
    ("d1.4.10", keys_by_queries, "QK is transposed"),
    ("d1.4.10", logits_by_tokens, "OV is transposed"),
    ("d1.4.10", no_unembedding, "W_U is still to come"),
    ("d1.4.10", in_the_stream, "put the tokens at both ends"),
    ("d1.4.quiz", RECALL | {"bias": "b_Q"}, "belongs to no head?"),
    ("d1.4.quiz", RECALL | {"held": "the mean"}, "depends on the whole stream"),
    ("d1.4.quiz", RECALL | {"paths": 64}, "passed by, or through one"),
    ("d1.4.quiz", RECALL | {"virtual": "AB"}, "the second head looks first"),
    ("d1.4.quiz", RECALL | {"direct": 8}, "passes no other head"),
]

RIGHT = [
    *part4_heads.RIGHT,
    *part4_paths.RIGHT,
    ("d1.4.7", each(by_name)),
    ("d1.4.7", each(by_hand)),
    ("d1.4.8", around_heads),
    ("d1.4.8", by_the_stream),
    ("d1.4.9", zs_held),
    ("d1.4.9", by_the_last_stream),
    ("d1.4.10", by_einsum),
    ("d1.4.10", by_the_library),
    ("d1.4.quiz", RECALL | {"bias": "the bias", "held": "Scale", "virtual": "B @ A", "direct": "none"}),
]
