"""Indices through products and functions: d1.3.8 (push_einsum) and d1.3.9 (push_apply)."""

from __future__ import annotations

from remix_utils.checks.day1.random_graphs import Draw, picks
from remix_utils.checks.day1.rewriting import (
    indexed,
    judged,
    no_longer,
    or_refused,
    outcome,
    rewritten,
)
from remix_utils.checks.exercise import exercise
from remix_utils.graph.ops import apply, einsum, index

ALL = slice(None)

# --- d1.3.8 -----------------------------------------------------------------------------------------------------------


def indexed_products(seed):
    """Einsums whose words stand in one factor or in several, are summed or kept, move or repeat."""
    draw = Draw(seed)
    product = einsum("i j, j k -> i k", draw.curve(4, 3), draw.array(3, 5), name="product")
    scores = einsum("q h d, k h d -> h q k", draw.x(3, 2, 4), draw.curve(3, 2, 4), name="scores")
    rows = einsum("s d, s d -> s", draw.x(4, 3), draw.array(4, 3), name="rows")
    outer = einsum("i, j -> i j", draw.x(4), draw.curve(4), name="outer")
    turned = einsum("a b c, b -> c a", draw.curve(3, 2, 3), draw.x(2), name="turned")
    return indexed(
        seed,
        (product, (draw.whole(4),)),
        (product, (slice(1, 3), 2)),
        (product, (ALL, picks(4, 4, 0))),
        (scores, (1, 2)),
        (scores, (slice(0, 1), ALL, slice(None, None, -1))),
        (rows, (2,)),
        (rows, (picks(3, 0),)),
        (outer, (1, 3)),
        (turned, (slice(0, 2), 1)),
        (einsum("i i -> i", draw.array(4, 4), name="diagonal"), (slice(1, 4),)),
    )


def _product_indexed(function, graph):
    return outcome(graph, no_longer(graph, rewritten(function, graph), "einsum"))


def _push_product(entry_of, keeps_inside, keeps_outside, every=True):
    """An einsum pushed by rules: the entry of a word in a factor, and which words stay on either side."""

    def push(node):
        (child,) = node.children
        left, right = child.op.pattern.split("->")
        at = dict(zip(right.split(), node.op.at, strict=True))
        parts, inputs, used = [], [], set()
        for factor, words in zip(child.children, left.split(","), strict=True):
            known = {word: at[word] for word in at if every or word not in used}
            entries = [entry_of(known, word, place, node.op.at) for place, word in enumerate(words.split())]
            used |= set(words.split())
            parts.append(index(factor, tuple(entries)))
            inputs.append(" ".join(word for word in words.split() if keeps_inside(at, word)))
        output = " ".join(word for word in right.split() if keeps_outside(at, word))
        return einsum(f"{', '.join(inputs)} -> {output}", *parts)

    return push


def _of_word(at, word, place, entries):
    return at.get(word, ALL)


def _of_place(at, word, place, entries):
    return entries[place] if place < len(entries) else ALL


def _nothing_for_integers(at, word, place, entries):
    return ALL if isinstance(at.get(word), int) else at.get(word, ALL)


def _stays(at, word):
    return not isinstance(at.get(word), int)


def _always(at, word):
    return True


_push_einsum = _push_product(_of_word, _stays, _stays)


@exercise("d1.3.8")
def _(answer, seed, reference):
    mistakes = [
        (
            "the pattern is as it was: an integer takes its axis away, so its word must go, in the factors and in the "
            "output.",
            _push_product(_of_word, _always, _always),
        ),
        (
            "the word of an integer is taken out of the output alone, and an einsum sums over what the output does not "
            "name: index the factors too, and take the word out of them.",
            _push_product(_nothing_for_integers, _always, _stays),
        ),
        (
            "a word that stands in two factors is indexed in the first one only.",
            _push_product(_of_word, _stays, _stays, every=False),
        ),
        (
            "the entries are handed out by place: entry 0 belongs to the first axis of the *output*. Go by word.",
            _push_product(_of_place, _stays, _stays),
        ),
    ]
    cases = indexed_products(seed)
    judged(answer, seed, reference, use=_product_indexed, cases=cases, oracle=_push_einsum, mistakes=mistakes)


# --- d1.3.9 -----------------------------------------------------------------------------------------------------------

MIXING = ("softmax", "log_softmax")


def indexed_functions(seed):
    draw = Draw(seed)
    relu, tanh = (apply(function, draw.node(4, 3), name=function) for function in ("relu", "tanh"))
    pattern = apply("softmax", draw.node(4, 5), name="pattern")
    heads = apply("log_softmax", draw.node(2, 3, 4), name="log pattern")
    flat = apply("softmax", draw.x(5), name="probabilities")
    return indexed(
        seed,
        (relu, (draw.whole(4),)),
        (relu, (slice(1, 3), 2)),
        (tanh, (picks(3, 3), slice(None, None, -1))),
        (pattern, (draw.whole(4),)),
        (pattern, (slice(1, 3),)),
        (pattern, (ALL, 3)),
        (pattern, (1, slice(0, 3))),
        (pattern, (ALL, picks(0, 0, 4))),
        (heads, (1, slice(0, 2))),
        (heads, (0, 1, 2)),
        (flat, (2,)),
        (flat, (slice(1, 5),)),
    )


def _function_indexed(function, graph):
    result = or_refused(function, graph)
    if isinstance(result, str):
        return {"the result": result}
    return outcome(graph, no_longer(graph, result, "function"))


def _push_function(refuses):
    def push(node):
        (child,) = node.children
        if refuses(child.op.function, node.op.at, child.shape):
            raise ValueError
        return apply(child.op.function, index(child.children[0], node.op.at))

    return push


def _is_whole(entry, size):
    return isinstance(entry, slice) and entry.indices(size) == (0, size, 1)


def _mixed(function, at, shape):
    return function in MIXING and not _is_whole(at[-1], shape[-1])


@exercise("d1.3.9")
def _(answer, seed, reference):
    mistakes = [
        (
            "nothing is refused: softmax divides by the sum over its whole last axis, and over the entries left "
            "the sum is another one. Raise ValueError.",
            _push_function(lambda *_: False),
        ),
        (
            "softmax is refused altogether: it mixes its last axis only, and an index may pass on the axes before it.",
            _push_function(lambda function, *_: function in MIXING),
        ),
        (
            "only an integer on softmax's axis is refused: part of the axis is not the whole axis either.",
            _push_function(lambda function, at, shape: function in MIXING and isinstance(at[-1], int)),
        ),
        (
            "every index on a last axis is refused, also on that of an elementwise function, which mixes nothing.",
            _push_function(lambda function, at, shape: not _is_whole(at[-1], shape[-1])),
        ),
        (
            "it is the first axis that is protected: softmax mixes the last one.",
            _push_function(lambda function, at, shape: function in MIXING and not _is_whole(at[0], shape[0])),
        ),
    ]
    cases, oracle = indexed_functions(seed), _push_function(_mixed)
    judged(answer, seed, reference, use=_function_indexed, cases=cases, oracle=oracle, mistakes=mistakes)
