"""Reading a layer, and replacing what it says: d1.1.1 to d1.1.4 and d1.1.6."""

from __future__ import annotations

from collections.abc import Callable

import torch

from remix_utils.checks.day1.probes import Edit, activations, compare, edited, layer_by_layer, leaky, networks, observed
from remix_utils.checks.exercise import Mistake, exercise

# --- d1.1.1 -----------------------------------------------------------------------------------------------------------


def _read_and_leave(network, layer, x):
    seen = []
    leaky(network, layer, lambda module, inputs, output: seen.append(output), x)
    return seen[0]


@exercise("d1.1.1")
def _(answer, seed, reference):
    mistakes = [
        Mistake("this is the network's output: return what the hook saw, not what the run returned.", _only_logits),
        Mistake("this is what the layer reads. A hook gets (layer, inputs, output), in this order.", _layer_input),
        Mistake("the values are right, but the hook is still on the layer: call handle.remove().", _read_and_leave),
        Mistake("this is a list with one tensor in it: return the tensor.", lambda n, layer, x: [_read(n, layer, x)]),
        Mistake("this applies the layer to the image: its input is whatever the layers before it make of x.", _direct),
    ]
    cases = lambda seed: [(n, layer, x) for n, x in networks(seed) for layer in ("hidden", "inner", "out", "x")]
    compare(answer, seed, reference, call=observed, cases=cases, oracle=_read, mistakes=mistakes)


def _read(network, layer, x):
    return layer_by_layer(network, x)[layer]


def _only_logits(network, layer, x):
    return network(x)


def _layer_input(network, layer, x):
    before = {"hidden": "inner", "inner": "x", "out": "hidden", "x": "x"}
    return layer_by_layer(network, x)[before[layer]]


def _direct(network, layer, x):
    return network.get_submodule(layer)(x)


# --- d1.1.2 -----------------------------------------------------------------------------------------------------------


@exercise("d1.1.2")
def _(answer, seed, reference):
    mistakes = [
        Mistake("nothing was changed. A hook changes the run only by *returning* the replacement.", _hook_returns_none),
        Mistake("the edit was applied to what the layer reads: apply it to its output.", _edit_the_input),
        Mistake("this is the edited layer's output: return the logits that follow from it.", _edited_layer),
        Mistake("the logits are right, but the hook is still on the layer: call handle.remove().", _edit_and_leave),
        Mistake("the edit was applied to the logits: it belongs on the layer's output.", _edit_the_logits),
    ]
    edits: list[Edit] = [torch.zeros_like, lambda output: output.flip(0) + 0.5]
    layers = ("hidden", "inner", "out", "x")
    cases = lambda seed: [(n, layer, edit, x) for n, x in networks(seed) for layer in layers for edit in edits]
    compare(answer, seed, reference, call=observed, cases=cases, oracle=edited, mistakes=mistakes)


def _hook_returns_none(network, layer, edit, x):
    return network(x)


def _edit_the_input(network, layer, edit, x):
    handle = network.get_submodule(layer).register_forward_pre_hook(lambda module, inputs: edit(inputs[0]))
    logits = network(x)
    handle.remove()
    return logits


def _edited_layer(network, layer, edit, x):
    return edit(layer_by_layer(network, x)[layer])


def _edit_and_leave(network, layer, edit, x):
    return leaky(network, layer, lambda module, inputs, output: edit(output), x)


def _edit_the_logits(network, layer, edit, x):
    return edit(network(x))


# --- d1.1.3 and d1.1.4 ------------------------------------------------------------------------------------------------


def make_and_use(maker: Callable, argument: object, output: torch.Tensor) -> torch.Tensor:
    """An edit's maker, called, and its edit called on an output."""
    return maker(argument)(output)


@exercise("d1.1.3")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "this is the mean of the batch that is being edited: use the recorded activations.",
            lambda recorded: lambda output: output.mean(0).expand_as(output),
        ),
        Mistake(
            "every neuron got the same value: average over images (dim 0), not over everything.",
            lambda recorded: lambda output: recorded.mean().expand_as(output),
        ),
        Mistake(
            "the numbers are right, but this is one row: the edit returns one row for each row of output.",
            lambda recorded: lambda output: recorded.mean(0),
        ),
        Mistake(
            "this is one row with an axis of 1: the edit returns one row for each row of output.",
            lambda recorded: lambda output: recorded.mean(0, keepdim=True),
        ),
        Mistake(
            "this has as many rows as were recorded: the edit returns one row for each row of output.",
            lambda recorded: lambda output: recorded.mean(0).expand_as(recorded),
        ),
    ]
    compare(answer, seed, reference, call=make_and_use, cases=activations, oracle=_average_rows, mistakes=mistakes)


def _average_rows(recorded):
    average = recorded.sum(0) / len(recorded)
    return lambda output: torch.stack([average for _ in output])


def draws(seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Rows with repetitions, and an output to resample; as wide as high, so that a wrong axis shows as wrong values."""
    torch.manual_seed(seed)
    return [(torch.tensor([2, 0, 2, 1]), torch.randn(4, 4)), (torch.randint(6, (6,)), torch.randn(6, 6))]


@exercise("d1.1.4")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "this exchanges neurons: rows chooses images, which are the first axis of output.",
            lambda rows: lambda output: output[:, rows],
        ),
        Mistake(
            "this sends row i to rows[i]. It should fetch row rows[i] for row i; some rows are asked for twice.",
            _send,
        ),
        Mistake(
            "each neuron got its own draw: all values of a row must come from one image, as the network makes them.",
            lambda rows: lambda output: torch.stack([c[rows.roll(i)] for i, c in enumerate(output.unbind(1))], dim=1),
        ),
        Mistake("the output is unchanged: index it with rows.", lambda rows: lambda output: output),
        Mistake(
            "these rows come in sorted order: image i receives row rows[i], in the order given.",
            lambda rows: lambda output: output[rows.sort().values],
        ),
    ]
    compare(answer, seed, reference, call=make_and_use, cases=draws, oracle=_fetch, mistakes=mistakes)


def _fetch(rows):
    return lambda output: torch.stack([output[row] for row in rows.tolist()])


def _send(rows):
    def edit(output):
        changed = output.clone()
        changed[rows] = output
        return changed

    return edit


# --- d1.1.6 and d1.1.7 ------------------------------------------------------------------------------------------------


def narrow_and_use(maker: Callable, edit: Edit, neuron: int, output: torch.Tensor) -> dict[str, object]:
    """A narrowed edit's result, and whether the output that it was given is as it was."""
    before = output.clone()
    return {"edited": maker(edit, neuron)(output), "the output it was given": bool(torch.equal(before, output))}


def _narrowing(seed):
    torch.manual_seed(seed)
    edits: list[Edit] = [
        torch.zeros_like,
        lambda output: output.mean(0).expand_as(output),
        lambda output: output.flip(0),
    ]
    return [(edit, neuron, torch.rand(5, 5) + 1) for edit in edits for neuron in (0, 3)]


@exercise("d1.1.6")
def _(answer, seed, reference):
    mistakes = [
        Mistake("the edit was written into the activations themselves: work on output.clone().", _in_place),
        Mistake("this changes one image: a neuron is a column, output[:, neuron].", _one_row),
        Mistake("this edits every neuron but the one: keep the others, edit this one.", _all_but),
        Mistake("every neuron was edited: take only column `neuron` from edit(output).", lambda edit, neuron: edit),
        Mistake("nothing was changed: put the edited column into the copy.", lambda edit, neuron: torch.clone),
    ]
    compare(answer, seed, reference, call=narrow_and_use, cases=_narrowing, oracle=_by_mask, mistakes=mistakes)


def _by_mask(edit, neuron):
    return lambda output: torch.where(torch.arange(output.shape[1]) == neuron, edit(output), output)


def _all_but(edit, neuron):
    return lambda output: torch.where(torch.arange(output.shape[1]) != neuron, edit(output), output)


def _one_row(edit, neuron):
    return lambda output: torch.where((torch.arange(len(output)) == neuron)[:, None], edit(output), output)


def _in_place(edit, neuron):
    def narrowed(output):
        output[:, neuron] = edit(output)[:, neuron]
        return output

    return narrowed
