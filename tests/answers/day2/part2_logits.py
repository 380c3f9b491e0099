"""Answers to d2.2.1, d2.2.4 and d2.2.5: what parts and paths add, and a score as a node."""

import torch

from remix_utils import RULES, ablate, add, array, at, einsum, index, split, update
from remix_utils.circuits import path_expansion

# --- d2.2.1 -----------------------------------------------------------------------------------------------------------


def by_einsum(parts, scale, weights, answers, others):
    """Centring, weight and unembedding are one matrix."""
    width = len(weights["ln_final.w"])
    matrix = (torch.eye(width) - 1 / width) * weights["ln_final.w"] @ weights["unembed.W_U"]
    rows = matrix.T[answers] - matrix.T[others]
    return {name: torch.einsum("rpd,rpd->rp", part, rows) / scale.squeeze(-1) for name, part in parts.items()}


def by_all_logits(parts, scale, weights, answers, others, norm=True, own=False, weigh=True, centre=True):
    found = {}
    for name, part in parts.items():
        x = part - part.mean(-1, keepdim=True) if centre else part
        x = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() if own else x / scale if norm else x
        logits = (x * weights["ln_final.w"] if weigh else x) @ weights["unembed.W_U"]
        pairs = torch.stack([answers, others], -1)
        found[name] = logits.gather(-1, pairs).mul(torch.tensor([1.0, -1.0])).sum(-1)
    return found


def told(**more):
    return lambda *case: by_all_logits(*case, **more)


def answers_only(parts, scale, weights, answers, others):
    """Compared with a token whose logit is always zero."""
    width, kinds = weights["unembed.W_U"].shape
    longer = torch.cat([weights["unembed.W_U"], torch.zeros(width, 1)], 1)
    return by_einsum(parts, scale, weights | {"unembed.W_U": longer}, answers, torch.full_like(others, kinds))


def turned(parts, scale, weights, answers, others):
    return by_einsum(parts, scale, weights, others, answers)


def with_bias(parts, scale, weights, answers, others):
    rows = weights["unembed.W_U"].T
    more = ((rows[answers] - rows[others]) * weights["ln_final.b"]).sum(-1)
    return {name: value + more for name, value in by_einsum(parts, scale, weights, answers, others).items()}


# --- d2.2.4 -----------------------------------------------------------------------------------------------------------


def chosen(keep):
    def up_to_order(graph, order):
        terms = path_expansion(graph)
        return add(*[term for path, term in terms.items() if keep(path, order)], name="logits")

    return up_to_order


def taken_off(graph, order):
    """The logits less the paths that are too long."""
    terms = [term for path, term in path_expansion(graph).items() if len(path) > order + 1]
    return add(graph, *terms, weights=[1] + [-1] * len(terms)) if terms else add(graph)


def by_rules(graph, order):
    """As on day 1, without the library's expansion; heads are counted in the names of the terms."""

    def broadcasts(node):
        return node.op.kind == "add" and any(child.shape != node.shape for child in node.children)

    def spread(node):
        def whole(child):
            if child.shape == node.shape:
                return child
            words = ["d", "d_head e"][len(child.shape) - 1]
            return einsum(f"seq, {words} -> seq {words}", array(torch.ones(node.shape[0])), child, name=child.name)

        return add(*map(whole, node.children), weights=node.op.weights, name=node.name)

    graph = split(graph, "blocks.*.attn_out", "head")
    graph = update(RULES["expand_layernorm"](graph, at("*.ln1") | at("ln_final")), broadcasts, spread)
    terms = RULES["expand_paths"](graph, "logits").children
    return add(*[term for term in terms if term.name.count(".out") <= order])


def live(graph, order):
    return (
        ablate(graph, "blocks.*.attn_out", "zero")
        if order == 0
        else chosen(lambda path, n: len(path) <= n + 1)(graph, order)
    )


# --- d2.2.5 -----------------------------------------------------------------------------------------------------------


def by_rows(pattern, length):
    """One entry after another."""
    entries = [index(pattern, (length + 1 + place, 2 + place)) for place in range(length)]
    return add(*entries, weights=[1 / length] * length)


def targets(queries, back=lambda n: n - 1, share=lambda n: n, swap=False):
    def prefix_node(pattern, length):
        wanted, rows = torch.zeros(pattern.shape), torch.tensor(list(queries(length)))
        wanted[rows, rows - back(length)] = 1 / share(length)
        return einsum("q k, q k ->", pattern, array(wanted.T.clone() if swap else wanted))

    return prefix_node


def second(n):
    return range(n + 1, 2 * n + 1)


def one_each(pattern, length):
    wanted = torch.zeros(length, *pattern.shape)
    for place in range(length):
        wanted[place, length + 1 + place, 2 + place] = 1
    return einsum("q k, place q k -> place", pattern, array(wanted))


WRONG = [
    ("d2.2.1", told(centre=False), "the parts are not centred"),
    ("d2.2.1", told(weigh=False), "layernorm's weight is missing"),
    ("d2.2.1", told(own=True), "a scale of its own"),
    ("d2.2.1", told(norm=False), "the scale is left out"),
    ("d2.2.1", answers_only, "the logit of the answer alone"),
    ("d2.2.1", turned, "the sign is turned"),
    ("d2.2.1", with_bias, "would be counted once for each"),
    ("d2.2.4", chosen(lambda path, order: len(path) - 1 == order), "exactly this order"),
    ("d2.2.4", chosen(lambda path, order: len(path) - 2 <= order), "one order too far"),
    ("d2.2.4", chosen(lambda path, order: len(path) <= order), "one order too early"),
    (
        "d2.2.4",
        chosen(lambda path, order: path[0] == "embed" and len(path) - 1 <= order),
        "that start at biases are missing",
    ),
    ("d2.2.4", chosen(lambda path, order: True), "whatever the order"),
    ("d2.2.4", live, "worked out again"),
    ("d2.2.5", targets(second, back=lambda n: n), "the attention to the same token"),
    ("d2.2.5", targets(lambda n: range(n, 2 * n)), "the end of text in front is forgotten"),
    ("d2.2.5", targets(lambda n: range(n, 2 * n + 1), share=lambda n: n + 1), "a query too many"),
    ("d2.2.5", targets(second, share=lambda n: 1), "this is a sum over queries"),
    ("d2.2.5", targets(second, share=lambda n: 2 * n + 1), "divided by all queries"),
    ("d2.2.5", targets(second, swap=True), "queries and keys are exchanged"),
    ("d2.2.5", one_each, "one number for each query"),
]

RIGHT = [
    ("d2.2.1", by_einsum),
    ("d2.2.1", by_all_logits),
    ("d2.2.4", taken_off),
    ("d2.2.4", by_rules),
    ("d2.2.5", by_rows),
    ("d2.2.5", targets(second)),
]
