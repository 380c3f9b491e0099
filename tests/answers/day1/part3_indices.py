"""Answers to d1.3.5 to d1.3.9: indices that move down by one step."""

import torch

from remix_utils import add, apply, array, einsum, evaluate, index

ALL = slice(None)

# --- d1.3.5 -----------------------------------------------------------------------------------------------------------


def shape_of_an_example(shape, at):
    """Index an empty tensor, the last axis first."""
    value = torch.zeros(shape)
    for axis in reversed(range(len(at))):
        entry = torch.arange(shape[axis]).numpy()[at[axis]].copy() if isinstance(at[axis], slice) else at[axis]
        entry = torch.as_tensor(entry) if isinstance(at[axis], slice) else entry
        value = value[(ALL,) * axis + (entry,)]
    return list(value.shape)


def shape_by(length, of_integer=(), rest=True):
    def rule(shape, at):
        left = []
        for size, entry in zip(shape, at, strict=False):
            if isinstance(entry, int):
                left.extend(of_integer)
            else:
                left.append(length(entry, size) if isinstance(entry, slice) else len(entry))
        return left + list(shape[len(at) :] if rest else ())

    return rule


def exact(entry, size):
    return len(list(range(size))[entry])


def stop_less_start(entry, size):
    return (entry.stop if entry.stop is not None else size) - (entry.start if entry.start is not None else 0)


def no_step(entry, size):
    start, stop, _ = entry.indices(size)
    return abs(start - stop)


def floor(entry, size):
    start, stop, step = entry.indices(size)
    return (stop - start) // step


# --- d1.3.6 -----------------------------------------------------------------------------------------------------------


def push_array_by_evaluating(node):
    return array(evaluate(node, {}))


def push_array_by_brackets(node):
    return array(node.children[0].op.value[node.op.at])


def positions(entry):
    stop = -1 if entry.stop is None else entry.stop
    return torch.arange(entry.start, stop, entry.step)


def push_array_forwards(node):
    value = node.children[0].op.value
    for axis, entry in enumerate(node.op.at):
        entry = positions(entry) if isinstance(entry, slice) and entry.step < 0 else entry
        value = value[(ALL,) * axis + (entry,)]
    return array(value)


def push_array_paired(node):
    at = tuple(positions(e) if isinstance(e, slice) and e.step < 0 else e for e in node.op.at)
    return array(node.children[0].op.value[at])


def index_again(node):
    return index(node.children[0], node.op.at)


# --- d1.3.7 -----------------------------------------------------------------------------------------------------------


def push_add_of_stretched(node):
    """Give every term the whole shape first; then all indices are alike."""
    (total,) = node.children
    zeros = array(torch.zeros(total.shape, dtype=total.dtype))
    terms = [index(child if child.shape == total.shape else add(child, zeros), node.op.at) for child in total.children]
    return add(*terms, weights=total.op.weights)


def push_add_to(entries_of, weights=True):
    def push(node):
        total = node.children[0]
        terms = [
            index(child, tuple(entries_of(list(node.op.at), child.shape, total.shape))) for child in total.children
        ]
        return add(*terms, weights=total.op.weights) if weights else add(*terms)

    return push


def the_last(at, own, whole):
    return at[len(whole) - len(own) :]


def stretched(replacement):
    def entries(at, own, whole):
        lead = len(whole) - len(own)
        return [replacement(at[lead + i]) if own[i] == 1 < whole[lead + i] else at[lead + i] for i in range(len(own))]

    return entries


def push_add_reversed(node):
    """The axes from behind, with the weights on the terms."""
    (total,) = node.children
    terms = []
    for child, weight in zip(total.children, total.op.weights, strict=True):
        entries = []
        for i in range(1, len(child.shape) + 1):
            entry = node.op.at[-i]
            if child.shape[-i] < total.shape[-i]:
                entry = 0 if isinstance(entry, int) else slice(None)
            entries.insert(0, entry)
        terms.append(add(index(child, tuple(entries)), weights=[weight]))
    return add(*terms)


# --- d1.3.8 -----------------------------------------------------------------------------------------------------------


def push_einsum_with_slices(node):
    """An integer becomes a slice of length 1, whose word leaves only the output: the sum over it has one term."""
    (child,) = node.children
    left, right = child.op.pattern.split("->")
    entry = dict(zip(right.split(), node.op.at, strict=True))
    gone = [word for word in entry if isinstance(entry[word], int)]
    entry |= {word: slice(entry[word], entry[word] + 1) for word in gone}
    factors = [
        index(factor, tuple(entry.get(word, ALL) for word in words.split()))
        for factor, words in zip(child.children, left.split(","), strict=True)
    ]
    return einsum(f"{left} -> {' '.join(word for word in right.split() if word not in gone)}", *factors)


def parts_of(node):
    (child,) = node.children
    left, right = child.op.pattern.split("->")
    sides = [side.split() for side in left.split(",")]
    return child, sides, right.split(), dict(zip(right.split(), node.op.at, strict=True))


def joined(sides, output, gone=()):
    texts = [" ".join(word for word in side if word not in gone) for side in sides]
    return f"{', '.join(texts)} -> {' '.join(word for word in output if word not in gone)}"


def pattern_as_it_was(node):
    child, sides, _, entry = parts_of(node)
    factors = [index(f, tuple(entry.get(w, ALL) for w in side)) for f, side in zip(child.children, sides, strict=True)]
    return einsum(child.op.pattern, *factors)


def summed_over(node):
    child, sides, output, entry = parts_of(node)
    kept = {word: each for word, each in entry.items() if not isinstance(each, int)}
    factors = [index(f, tuple(kept.get(w, ALL) for w in side)) for f, side in zip(child.children, sides, strict=True)]
    return einsum(f"{joined(sides, [])}{' '.join(word for word in output if word in kept)}", *factors)


def by_place(node):
    child, sides, output, entry = parts_of(node)
    gone = [word for word in entry if isinstance(entry[word], int)]
    factors = [index(f, node.op.at[: len(f.shape)]) for f in child.children]
    return einsum(joined(sides, output, gone), *factors)


# --- d1.3.9 -----------------------------------------------------------------------------------------------------------


def push_apply_by_names(node):
    (child,) = node.children
    mixing = child.op.function.endswith("softmax")
    if mixing and index(child, node.op.at).shape[-1:] != child.shape[-1:]:
        raise ValueError("softmax needs its last axis")
    if mixing and not isinstance(node.op.at[-1], slice):
        raise ValueError("softmax needs its last axis as it is")
    return apply(child.op.function, index(child.children[0], node.op.at))


def push_apply_unless(refused):
    def push(node):
        (child,) = node.children
        if refused(child, node.op.at):
            raise ValueError("refused")
        return apply(child.op.function, index(child.children[0], node.op.at))

    return push


def mixes(child):
    return "softmax" in child.op.function


def partial(entry, size):
    return entry != slice(0, size, 1)


def refused_in_silence(node):
    (child,) = node.children
    return node if mixes(child) and partial(node.op.at[-1], child.shape[-1]) else push_apply_by_names(node)


WRONG = [
    ("d1.3.5", shape_by(exact, of_integer=[1]), "an integer leaves an axis of length 1"),
    ("d1.3.5", shape_by(exact, rest=False), "axes that the index leaves out are lost"),
    ("d1.3.5", shape_by(stop_less_start), "stop - start only when"),
    ("d1.3.5", shape_by(no_step), "the step of a slice is not looked at"),
    ("d1.3.5", shape_by(floor), "rounded down"),
    ("d1.3.6", push_array_by_brackets, "pair two index tensors off"),
    ("d1.3.6", push_array_paired, "every axis is indexed on its own"),
    ("d1.3.6", push_array_forwards, "begin with the last axis"),
    ("d1.3.6", index_again, "an index still stands on the array"),
    ("d1.3.6", lambda node: array(node.children[0].op.value), "the array is as it was"),
    ("d1.3.7", push_add_to(lambda at, own, whole: at), "every term gets the whole index"),
    ("d1.3.7", push_add_to(lambda at, own, whole: at[: len(own)]), "gets the first entries of the index"),
    ("d1.3.7", push_add_to(the_last), "out of its bounds"),
    ("d1.3.7", push_add_to(stretched(lambda e: slice(0, 1))), "must take a broadcast axis away too"),
    ("d1.3.7", push_add_to(stretched(lambda e: 0)), "a broadcast axis is always taken away"),
    (
        "d1.3.7",
        push_add_to(stretched(lambda e: 0 if isinstance(e, int) else ALL), weights=False),
        "weights of the sum are lost",
    ),
    ("d1.3.7", index_again, "an index still stands on the sum"),
    ("d1.3.8", pattern_as_it_was, "the pattern is as it was"),
    ("d1.3.8", summed_over, "taken out of the output alone"),
    ("d1.3.8", by_place, "handed out by place"),
    ("d1.3.8", index_again, "an index still stands on the einsum"),
    ("d1.3.9", push_apply_unless(lambda child, at: False), "nothing is refused"),
    ("d1.3.9", push_apply_unless(lambda child, at: mixes(child)), "softmax is refused altogether"),
    (
        "d1.3.9",
        push_apply_unless(lambda c, at: mixes(c) and isinstance(at[-1], int)),
        "only an integer on softmax's axis",
    ),
    ("d1.3.9", push_apply_unless(lambda c, at: partial(at[-1], c.shape[-1])), "also on that of an elementwise"),
    (
        "d1.3.9",
        push_apply_unless(lambda c, at: mixes(c) and partial(at[0], c.shape[0])),
        "the first axis that is protected",
    ),
    ("d1.3.9", refused_in_silence, "nothing has changed"),
]

RIGHT = [
    ("d1.3.5", shape_of_an_example),
    ("d1.3.6", push_array_by_evaluating),
    ("d1.3.7", push_add_reversed),
    ("d1.3.7", push_add_of_stretched),
    ("d1.3.8", push_einsum_with_slices),
    ("d1.3.9", push_apply_by_names),
]
