"""Answers to d1.1.8 to d1.1.14 and the quiz: two runs and two paths."""

from contextlib import contextmanager

import torch

from tests.answers.day1.part1_layers import edit_by_replacing_forward, read_with_a_dict

# --- d1.1.8 to d1.1.11 ------------------------------------------------------------------------------------------------


def patch_exchanged(network, layer, base, source):
    kept = read_with_a_dict(network, layer, base)
    return edit_by_replacing_forward(network, layer, lambda output: kept, source)


def patch_by_concatenated_run(network, layer, base, source):
    """One run on both batches; inside, the second half of the layer's output is copied over the first."""
    rows = len(base)

    def hook(module, inputs, output):
        return torch.cat([output[rows:], output[rows:]])

    handle = network.get_submodule(layer).register_forward_hook(hook)
    logits = network(torch.cat([base, source]))[:rows]
    handle.remove()
    return logits


def patch_and_leave(network, layer, base, source):
    kept = read_with_a_dict(network, layer, source)
    network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: kept)
    return network(base)


@contextmanager
def without_finally(network, layer, hook):
    handle = network.get_submodule(layer).register_forward_hook(hook)
    yield
    handle.remove()


@contextmanager
def clears_everything(network, layer, hook):
    network.get_submodule(layer).register_forward_hook(hook)
    try:
        yield
    finally:
        for module in network.modules():
            module._forward_hooks.clear()


@contextmanager
def removes_too_early(network, layer, hook):
    network.get_submodule(layer).register_forward_hook(hook).remove()
    yield


@contextmanager
def never_removes(network, layer, hook):
    network.get_submodule(layer).register_forward_hook(hook)
    yield


@contextmanager
def swallows_errors(network, layer, hook):
    handle = network.get_submodule(layer).register_forward_hook(hook)
    try:
        yield
    except Exception:
        pass
    finally:
        handle.remove()


def no_context_manager(network, layer, hook):
    return network.get_submodule(layer).register_forward_hook(hook).id


class Hooked:
    """The same as a class; a handle is a context manager by itself, too."""

    def __init__(self, network, layer, hook):
        self.module, self.hook = network.get_submodule(layer), hook

    def __enter__(self):
        self.handle = self.module.register_forward_hook(self.hook)

    def __exit__(self, *error):
        self.handle.remove()


def attempt_on_inner(network, x, rows):
    handle = network.inner.register_forward_pre_hook(lambda module, inputs: (inputs[0][rows],))
    logits = network(x)
    handle.remove()
    return logits


def attempt_with_zero(network, x, rows):
    return edit_by_replacing_forward(network, "x", torch.zeros_like, x)


def attempt_by_another_input(network, x, rows):
    return network(x[rows])


def resample_everything(network, x, rows):
    return network(x[rows])


def silence_the_hidden_path(network, x, rows):
    return x[rows] @ network.skip.T


def skip_with_a_leak(network, x, rows):
    kept = read_with_a_dict(network, "hidden", x)
    network.x.register_forward_hook(lambda module, inputs, output: output[rows])
    network.hidden.register_forward_hook(lambda module, inputs, output: kept)
    return network(x)


def skip_by_restoring_the_input(network, x, rows):
    with (
        network.x.register_forward_hook(lambda module, inputs, output: output[rows]),
        network.inner.register_forward_pre_hook(lambda module, inputs: (x,)),
    ):
        return network(x)


def skip_by_algebra(network, x, rows):
    return network(x) - x @ network.skip.T + x[rows] @ network.skip.T


# --- d1.1.14 ----------------------------------------------------------------------------------------------------------


def every_path_one_by_one(readers, start, end):
    if start == end:
        return 1
    return sum(every_path_one_by_one(readers, reader, end) for reader in readers.get(start, []))


def distinct_readers(readers, start, end, known=None):
    known = {end: 1} if known is None else known
    if start not in known:
        known[start] = sum(distinct_readers(readers, each, end, known) for each in set(readers.get(start, [])))
    return known[start]


def nodes_reached(readers, start, end):
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(readers.get(node, []))
    return len(seen) - 1 if end in seen else 0


def readings(readers, start, end):
    return sum(len(each) for each in readers.values())


def by_adding_forwards(readers, start, end):
    """Walk in topological order, and hand every node's count on to its readers."""
    order, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        for reader in readers.get(node, []):
            visit(reader)
        order.append(node)

    visit(start)
    counts = dict.fromkeys(order, 0)
    counts[start] = 1
    for node in reversed(order):
        for reader in readers.get(node, []):
            counts[reader] += counts[node]
    return counts.get(end, 0)


RECALL = {"constant": "zero", "switch": "mean", "direction": "denoising", "logits": 0, "error": 600}

WRONG = [
    ("d1.1.8", patch_exchanged, "base and source are exchanged"),
    ("d1.1.8", lambda network, layer, base, source: network(source), "on source altogether"),
    ("d1.1.8", lambda network, layer, base, source: network(base), "on base, untouched"),
    ("d1.1.8", patch_and_leave, "hook is still on the network"),
    ("d1.1.9", without_finally, "yield must stand in try"),
    ("d1.1.9", clears_everything, "somebody else's hook is gone"),
    ("d1.1.9", removes_too_early, "inside the block the hook does nothing"),
    ("d1.1.9", never_removes, "still on after the block"),
    ("d1.1.9", swallows_errors, "is swallowed"),
    ("d1.1.9", no_context_manager, "which `with` cannot use"),
    ("d1.1.10", attempt_on_inner, "resamples the hidden path alone"),
    ("d1.1.10", lambda network, x, rows: network(x), "nothing was resampled"),
    ("d1.1.10", attempt_with_zero, "was silenced"),
    ("d1.1.10", skip_by_restoring_the_input, "what we would like"),
    ("d1.1.11", resample_everything, "both paths read the other image"),
    ("d1.1.11", attempt_on_inner, "the paths are exchanged"),
    ("d1.1.11", lambda network, x, rows: network(x), "the hook on x changes nothing"),
    ("d1.1.11", silence_the_hidden_path, "do not silence it"),
    ("d1.1.11", skip_with_a_leak, "hooks are still on the network"),
    ("d1.1.12", lambda clean, skip, hidden: skip + hidden, "each experiment kept one clean term"),
    ("d1.1.12", lambda clean, skip, hidden: (skip + hidden) / 2, "average of the two"),
    ("d1.1.12", lambda clean, skip, hidden: (skip - clean) + (hidden - clean), "two changes alone"),
    ("d1.1.12", lambda clean, skip, hidden: clean - (skip - clean) - (hidden - clean), "the signs are turned round"),
    ("d1.1.13", lambda rows, dose: lambda output: dose * output + (1 - dose) * output[rows], "doses are exchanged"),
    ("d1.1.13", lambda rows, dose: lambda output: output + dose * output[rows], "added on top"),
    ("d1.1.13", lambda rows, dose: lambda output: output[rows], "whatever the dose"),
    ("d1.1.13", lambda rows, dose: lambda output: (1 - dose) * output + dose * output[:, rows], "exchanges neurons"),
    ("d1.1.14", every_path_one_by_one, "stopped"),
    ("d1.1.14", distinct_readers, "do not make a set"),
    ("d1.1.14", nodes_reached, "not the ways to reach them"),
    ("d1.1.14", readings, "this counts readings"),
    ("d1.1.quiz", RECALL | {"constant": "resample"}, "the same for every image"),
    ("d1.1.quiz", RECALL | {"switch": "zero"}, "a position of its own"),
    ("d1.1.quiz", RECALL | {"direction": "noising"}, "which of the two words"),
    ("d1.1.quiz", RECALL | {"logits": 1}, "Everybody who reads x"),
    ("d1.1.quiz", RECALL | {"error": 12000}, "about the same image"),
]

RIGHT = [
    ("d1.1.8", patch_by_concatenated_run),
    ("d1.1.9", Hooked),
    ("d1.1.10", attempt_by_another_input),
    ("d1.1.11", skip_by_restoring_the_input),
    ("d1.1.11", skip_by_algebra),
    ("d1.1.12", lambda clean, skip, hidden: torch.add(hidden, skip).sub(clean)),
    ("d1.1.13", lambda rows, dose: lambda output: output + dose * (output[rows] - output)),
    ("d1.1.14", by_adding_forwards),
    ("d1.1.quiz", {**RECALL, "constant": "Zero ablation", "error": "600 images"}),
]
