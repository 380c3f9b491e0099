"""Answers to d1.4.1 to d1.4.4: heads, their patterns, and what is added to the logits."""

import torch

from remix_utils import add, apply, array, einsum, evaluate, find, find_one, index, replace, split, update
from remix_utils.circuits import direct_logits
from remix_utils.circuits import head_outputs as all_heads
from remix_utils.graph.rules import RULES

# --- d1.4.1 and d1.4.2 ------------------------------------------------------------------------------------------------


def head_from_z(graph, layer, head):
    """Without a split: the head's own z, times its own W_O."""
    z = index(find_one(graph, f"blocks.{layer}.attn.z"), (slice(None), head))
    return einsum(
        "seq d_head, d_head d_model -> seq d_model", z, index(find_one(graph, f"blocks.{layer}.attn.W_O"), head)
    )


def the_whole_layer(graph, layer, head):
    return add(find_one(graph, f"blocks.{layer}.attn_out"))


def head_with_bias(graph, layer, head):
    return add(all_heads(graph)[layer, head], find_one(graph, f"blocks.{layer}.attn.b_O"))


def only_z(graph, layer, head):
    return index(find_one(graph, f"blocks.{layer}.attn.z"), (slice(None), head))


def row_of_the_layer(graph, layer, head):
    return index(find_one(graph, f"blocks.{layer}.attn_out"), head)


def of_layer_zero(graph, layer, head):
    return all_heads(graph)[0, head]


def a_tensor(graph, layer, head):
    return evaluate(all_heads(graph)[layer, head], {"tokens": torch.zeros(1, graph.shape[0], dtype=torch.long)})


def pattern_after_split(graph, layer, head):
    """The split gives each head a pattern of its own."""
    return find_one(split(graph, f"blocks.{layer}.attn_out", "head"), f"blocks.{layer}.attn.head.{head}.pattern")


def scores(graph, layer, head):
    return index(find_one(graph, f"blocks.{layer}.attn.scores"), head)


def pattern_with_future(graph, layer, head):
    return apply("softmax", scores(graph, layer, head))


def transposed(graph, layer, head):
    return einsum("query key -> key query", pattern_after_split(graph, layer, head))


def mean_pattern(graph, layer, head):
    heads = array(torch.full((2,), 0.5))
    return einsum("head query key, head -> query key", find_one(graph, f"blocks.{layer}.attn.pattern"), heads)


def one_query(graph, layer, head):
    return index(find_one(graph, f"blocks.{layer}.attn.pattern"), (slice(None), head))


# --- d1.4.3 -----------------------------------------------------------------------------------------------------------


def zeros_like(node):
    return array(torch.zeros(node.shape), "zeros")


def direct_by_replacing(graph):
    return replace(graph, {node: zeros_like(node) for node in find(graph, "blocks.*.attn_out")})


def direct_from_the_embedding(graph):
    """The last stream is the embedding: everything in between goes."""
    return replace(graph, {find_one(graph, "ln_final").children[0]: find_one(graph, "embed")})


def heads_silent(graph):
    return update(graph, "blocks.*.attn.z", zeros_like)


def first_layer_silent(graph):
    return update(graph, "blocks.0.attn_out", zeros_like)


def without_last_norm(graph):
    stream, norm = find_one(graph, "embed"), find_one(graph, "ln_final")
    return replace(graph, {norm: stream})


def scale_of_the_stream(graph):
    return add(direct_logits(graph, find_one(graph, "embed")), _bias_logits(graph))


def _bias_logits(graph):
    read = find_one(graph, "logits")
    return einsum("d, d vocab -> vocab", find_one(graph, "ln_final.b"), read.children[1])


# --- d1.4.4 -----------------------------------------------------------------------------------------------------------


def logits_by_einsum(graph, part):
    """From the weights: centre, divide, weigh, unembed."""
    norm = find_one(graph, "ln_final")
    x, weight, _ = norm.children
    inverse = apply("reciprocal", apply("layernorm_scale", x))
    matrix = array(torch.eye(x.shape[-1]) - 1 / x.shape[-1])
    pattern = "seq d, d e, seq one, e, e vocab -> seq vocab"
    return einsum(pattern, part, matrix, inverse, weight, find_one(graph, "unembed.W_U"))


def _substituted(graph, part, hold=True, drop=True):
    opened = RULES["expand_layernorm"](graph, "ln_final")
    stream = find_one(graph, "ln_final").children[0]
    new = {stream: part}
    if hold:
        inverse = find_one(opened, "ln_final.inverse")
        new[inverse] = inverse
    if drop:
        bias = find_one(opened, "ln_final.b")
        new[bias] = array(torch.zeros(bias.shape))
    return replace(opened, new)


def own_scale(graph, part):
    return _substituted(graph, part, hold=False)


def with_bias(graph, part):
    return _substituted(graph, part, drop=False)


def own_scale_and_bias(graph, part):
    return _substituted(graph, part, hold=False, drop=False)


def straight_to_the_logits(graph, part):
    return einsum("seq d, d vocab -> seq vocab", part, find_one(graph, "unembed.W_U"))


def by_leaving_out(graph, part):
    stream = find_one(graph, "ln_final").children[0]
    return add(graph, replace(graph, {stream: add(stream, part, weights=[1, -1])}), weights=[1, -1])


WRONG = [
    ("d1.4.1", head_with_bias, "belongs to no head"),
    ("d1.4.1", the_whole_layer, "this is the whole layer"),
    ("d1.4.1", only_z, "W_O is still to come"),
    ("d1.4.1", row_of_the_layer, "has no axis of heads"),
    ("d1.4.1", of_layer_zero, "always a head of layer 0"),
    ("d1.4.1", a_tensor, "gives a Tensor, expected a node"),
    ("d1.4.2", scores, "before softmax"),
    ("d1.4.2", pattern_with_future, "still see the future"),
    ("d1.4.2", transposed, "a row is a query"),
    ("d1.4.2", mean_pattern, "the mean over the heads"),
    ("d1.4.2", one_query, "one query of every head"),
    ("d1.4.3", heads_silent, "still speak"),
    ("d1.4.3", first_layer_silent, "only layer 0 is silent"),
    ("d1.4.3", without_last_norm, "has a stream of its own"),
    ("d1.4.3", scale_of_the_stream, "has a stream of its own"),
    ("d1.4.3", lambda graph: graph, "nothing has changed"),
    ("d1.4.4", own_scale, "a scale of its own"),
    ("d1.4.4", own_scale_and_bias, "a scale of its own"),
    ("d1.4.4", with_bias, "counted as often as there are parts"),
    ("d1.4.4", straight_to_the_logits, "ln_final is left out"),
    ("d1.4.4", by_leaving_out, "then the scale changes too"),
    ("d1.4.4", lambda graph, part: add(graph), "of the whole stream"),
]

RIGHT = [
    ("d1.4.1", head_from_z),
    ("d1.4.1", lambda graph, layer, head: all_heads(graph)[layer, head]),
    ("d1.4.2", pattern_after_split),
    ("d1.4.3", direct_by_replacing),
    ("d1.4.3", direct_from_the_embedding),
    ("d1.4.4", logits_by_einsum),
    ("d1.4.4", direct_logits),
]
