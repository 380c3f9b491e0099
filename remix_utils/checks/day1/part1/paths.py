"""Two runs and two paths: d1.1.8 to d1.1.11, d1.1.14 and the quiz."""

from __future__ import annotations

from contextlib import suppress

import torch

from remix_utils.checks.day1.probes import (
    compare,
    edited,
    hooks_on,
    layer_by_layer,
    logits_of,
    networks,
    observed,
    with_rows,
)
from remix_utils.checks.exercise import Mistake, Wrong, equal, exercise, quiz

# --- d1.1.8 -----------------------------------------------------------------------------------------------------------


def _pairs(seed):
    return [(n, layer, x, x.flip(0) + 1) for n, x in networks(seed) for layer in ("hidden", "inner", "out")]


def _patched(network, layer, base, source):
    other = layer_by_layer(network, source)[layer]
    return edited(network, layer, lambda output: other, base)


def _patched_and_left(network, layer, base, source):
    other = layer_by_layer(network, source)[layer]
    network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: other)
    return network(base)


@exercise("d1.1.8")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "base and source are exchanged: the network runs on base, only the layer comes from source.",
            lambda network, layer, base, source: _patched(network, layer, source, base),
        ),
        Mistake(
            "this is the network on source altogether: everything but the layer must come from base.",
            lambda network, layer, base, source: network(source),
        ),
        Mistake(
            "this is the network on base, untouched: the edit must return the activations read on source.",
            lambda network, layer, base, source: network(base),
        ),
        Mistake(
            "this is the difference that the patch makes: return the patched logits.",
            lambda network, layer, base, source: _patched(network, layer, base, source) - network(base),
        ),
        Mistake("the logits are right, but a hook is still on the network.", _patched_and_left),
    ]
    compare(answer, seed, reference, call=observed, cases=_pairs, oracle=_patched, mistakes=mistakes)


# --- d1.1.9 -----------------------------------------------------------------------------------------------------------


class _Stop(Exception):
    """Raised inside a block, to see whether the hook survives it."""


def _ones(module, inputs, output):
    return torch.ones_like(output)


@exercise("d1.1.9")
def _(answer, seed, reference):
    network, x = networks(seed)[0]
    clean, expected = network(x), edited(network, "hidden", torch.ones_like, x)
    theirs = []
    network.hidden.register_forward_hook(lambda module, inputs, output: theirs.append(1))  # somebody else's
    block = answer(network, "hidden", _ones)
    if not hasattr(block, "__enter__"):
        raise Wrong(f"it gives a {type(block).__name__}, which `with` cannot use: put @contextmanager above it.")
    with block:
        inside = network(x)
    _require_hook(inside, clean, expected)
    _require_clean(network, "after the block")
    with suppress(_Stop), answer(network, "inner", _ones):
        raise _Stop
    _require_clean(network, "after an error inside the block: yield must stand in try, remove in finally")
    equal(network(x), clean, "the logits after the blocks")
    with answer(network, "out", _ones), answer(network, "hidden", _ones):
        equal(network(x), edited(network, "out", torch.ones_like, x), "the logits inside two blocks")
    _require_clean(network, "after two blocks, one inside the other")
    _require_errors_pass(answer, network)


def _require_hook(inside, clean, expected):
    if torch.equal(inside, clean):
        raise Wrong("inside the block the hook does nothing: register it before yield, and remove it after.")
    equal(inside, expected, "the logits inside the block")


def _require_clean(network, when):
    if hooks_on(network) > 1:
        raise Wrong(f"the hook is still on {when}.")
    if hooks_on(network) < 1:
        raise Wrong(f"somebody else's hook is gone {when}: remove your own by its handle, and clear nothing.")


def _require_errors_pass(answer, network):
    try:
        with answer(network, "hidden", _ones):
            raise _Stop
    except _Stop:
        return
    raise Wrong("an error inside the block is swallowed: use finally, without except.")


# --- d1.1.10 and d1.1.11 ----------------------------------------------------------------------------------------------


def _hidden_only(network, x, rows):
    return logits_of(network, x[rows], x)


def _skip_only(network, x, rows):
    return logits_of(network, x, x[rows])


def _both(network, x, rows):
    return logits_of(network, x[rows], x[rows])


def _untouched(network, x, rows):
    return network(x)


def _hidden_gone(network, x, rows):
    return x[rows] @ network.skip.T


def _no_input(network, x, rows):
    return logits_of(network, torch.zeros_like(x), torch.zeros_like(x))


@exercise("d1.1.10")
def _(answer, seed, reference):
    mistakes = [
        Mistake("this resamples the hidden path alone: the layer that both paths read is called x.", _hidden_only),
        Mistake("nothing was resampled: edit the layer x with resample_edit(rows).", _untouched),
        Mistake("the layer x was silenced: resample it by rows.", _no_input),
        Mistake(
            "this is the skip path alone, which is what we would like. Here, first see what one hook on x does.",
            _skip_only,
        ),
    ]
    compare(answer, seed, reference, call=observed, cases=with_rows, oracle=_both, mistakes=mistakes)


@exercise("d1.1.11")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "both paths read the other image: the hidden path must be put right again.",
            _both,
        ),
        Mistake(
            "the paths are exchanged: here the skip reads the right image and the hidden path the other one.",
            _hidden_only,
        ),
        Mistake("the skip path still reads the right image: the hook on x changes nothing.", _untouched),
        Mistake("the hidden path is gone: restore its values, do not silence it.", _hidden_gone),
        Mistake("the logits are right, but hooks are still on the network.", _skip_only_and_leave),
    ]
    compare(answer, seed, reference, call=observed, cases=with_rows, oracle=_skip_only, mistakes=mistakes)


def _skip_only_and_leave(network, x, rows):
    network.x.register_forward_hook(lambda module, inputs, output: output[rows])
    network.inner.register_forward_pre_hook(lambda module, inputs: (x,))
    return network(x)


# --- d1.1.14 ----------------------------------------------------------------------------------------------------------


def _programs(seed):
    """Programs small and deep: by hand, with a node read twice, out of reach, and 60 blocks with skips."""
    by_hand = {"x": ["hidden", "logits"], "hidden": ["logits"]}
    twice = {"x": ["square", "square"], "square": ["sum"], "other": ["sum"]}
    return [
        (by_hand, "x", "logits"),
        (twice, "x", "sum"),
        (twice, "sum", "x"),
        (by_hand, "hidden", "hidden"),
        (_chain(3 + seed % 3), "x0", "x2"),
        (_chain(60), "x0", "x60"),
    ]


def _chain(blocks):
    readers = {}
    for i in range(blocks):
        readers[f"x{i}"] = [f"block{i}", f"x{i + 1}"]
        readers[f"block{i}"] = [f"x{i + 1}"]
    return readers


def _count_backwards(readers, start, end):
    """In an order in which every reader comes before what it reads, add up the readers' counts."""
    done, order = set(), []

    def visit(node):
        if node not in done:
            done.add(node)
            for reader in readers.get(node, []):
                visit(reader)
            order.append(node)

    visit(start)
    counts = {end: 1}
    for node in order:
        counts.setdefault(node, sum(counts.get(reader, 0) for reader in readers.get(node, [])))
    return counts[start]


def _reachable(readers, start, end):
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += readers.get(node, [])
    return len(seen - {start}) if end in seen else 0


def _longest(readers, start, end):
    lengths = {end: 0}

    def length(node):
        if node not in lengths:
            lengths[node] = max((1 + length(reader) for reader in readers.get(node, [])), default=-(10**6))
        return lengths[node]

    return max(length(start), 0)


exercise(
    "d1.1.14",
    cases=_programs,
    oracle=_count_backwards,
    tolerance=0,
    seconds=1.0,  # plenty, and whoever walks every path should not wait longer to be told
    mistakes=[
        Mistake(
            "a node that reads twice gives two paths: do not make a set of the readers.",
            lambda readers, start, end: _count_backwards(
                {n: list(dict.fromkeys(r)) for n, r in readers.items()}, start, end
            ),
        ),
        Mistake("this counts the nodes that can be reached, not the ways to reach them.", _reachable),
        Mistake("this is the length of the longest path, not their number.", _longest),
        Mistake(
            "this counts readings: one reading can lie on many paths.",
            lambda readers, start, end: sum(map(len, readers.values())),
        ),
    ],
)


# --- recall -----------------------------------------------------------------------------------------------------------

quiz(
    "d1.1.quiz",
    [
        ("constant", ["zero", "zero ablation"], "Which replacement takes away what is the same for every image?"),
        ("switch", ["mean", "mean ablation", "average"], "The average of two positions is a position of its own."),
        ("direction", ["denoising", "denoise"], "The clean part repairs: which of the two words says so?"),
        ("logits", [0, "none", "no path", "zero"], "Everybody who reads x gets the replacement."),
        ("error", [600, "600 images"], "The 20 draws of one image are about the same image."),
    ],
)
