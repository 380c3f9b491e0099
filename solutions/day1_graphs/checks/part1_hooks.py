"""How the exercises of day 1, part 1 are judged: hooks and their limit."""

from contextlib import suppress

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import number, option
from remix_utils.errors import kind_of

from .small_networks import (
    activations,
    edited,
    hooks_on,
    layer_by_layer,
    logits_of,
    networks,
    with_rows,
)

LAYERS = ("hidden", "inner", "out", "x")
LEFT = "The values are right, but the hook is still on the layer. Call handle.remove()."


def nothing(module, inputs, output):
    """Serves as another hook on a layer, which only observes."""


def observed(answer, network, *arguments):
    """Returns the value and the hooks left on; another hook on each layer must stay there."""
    for layer in LAYERS:
        network.get_submodule(layer).register_forward_hook(nothing)
    value = answer(network, *arguments)
    left = hooks_on(network) - len(LAYERS)
    if left < 0:
        raise Wrong("Another hook is gone from the layer. Remove only your own, by its handle.")
    return {"the value": value, "hooks left on": left}


def made_and_used(made, output):
    """Calls the edit that was made on an output."""
    if not callable(made):
        raise Wrong(
            f"It returns {kind_of(made)}, and an edit is a function of the layer's output. "
            "Return `lambda output: ...`."
        )
    return made(output)


# --- reading and replacing a layer ----------------------------------------------------------------


exercise("d1.1.1",
    cases=lambda seed: [(net, layer, x) for net, x in networks(seed) for layer in LAYERS],
    use=observed,
    mistakes=[
        edits(("    network(x)", "    logits = network(x)"), ("seen[0]", "logits"),
              says="This is the network's output. Return the layer's output, which the hook gets."),
        edit("append(output)", "append(inputs[0])",
             says="This is the layer's input. A hook gets (layer, inputs, output), in this order."),
        edit("    handle.remove()\n", "", says=LEFT),
        edit("handle.remove()", "network.get_submodule(layer)._forward_hooks.clear()",
             says="Another hook is gone from the layer."),
        edit("seen[0]", "seen", says="This is a list that holds one tensor. Return the tensor."),
        edit("    network(x)", "    network.get_submodule(layer)(x)",
             says="This applies the layer directly to the image. The layer should read the "
                  "output of the layers before it, so run the whole network."),
    ],
    right=[
        """
        def read_layer(network, layer, x):
            kept = {}

            def keep(module, inputs, output):
                kept[layer] = output.clone()

            handle = dict(network.named_modules())[layer].register_forward_hook(keep)
            try:
                network.forward(x)
            finally:
                handle.remove()
            return kept[layer]
        """,
        lambda network, layer, x: layer_by_layer(network, x)[layer],
    ],
    hints=[
        ("Help, where does the value go?", "PyTorch calls the hook while the network runs. If the "
         "hook returned a value, that value would replace the layer's output. So store `output` "
         "in a list that you make before the run."),
        ("Help, which steps do I need?", "Make an empty list. Register a hook on "
         "`network.get_submodule(layer)` that appends its third argument. Run the network and "
         "ignore its result. Remove the hook. Return the only entry of the list."),
        ("Help, I need the line itself", "`handle = "
         "network.get_submodule(layer).register_forward_hook(lambda layer, inputs, output: "
         "seen.append(output))`. `append` returns `None`, so this hook only observes."),
    ],
)


def edit_cases(seed):
    changes = [torch.zeros_like, turned]
    return [
        (net, layer, change, x)
        for net, x in networks(seed)
        for layer in LAYERS
        for change in changes
    ]


def turned(output):
    return output.flip(0) + 0.5


exercise("d1.1.2", cases=edit_cases, use=observed,
    mistakes=[
        edit("edit(output))", "None)",
             says="These are the logits without any edit. The hook must *return* the "
                  "replacement, and it must still be on while the network runs."),
        edit("edit(output))", "edit(inputs[0]))",
             says="The edit was applied to the layer's input. Apply it to the layer's output."),
        edits(("register_forward_hook", "register_forward_pre_hook"),
              ("layer, inputs, output: edit(output)", "layer, inputs: edit(inputs[0])"),
              says="The edit was applied before the layer ran. Apply it to the layer's output."),
        edit("return logits", "return edit(read_layer(network, layer, x))",
             says="This is the edited layer's output. Return the logits of the network."),
        edit("    handle.remove()\n", "", says=LEFT),
        edits(("edit(output))", "None)"), ("return logits", "return edit(logits)"),
              says="The edit was applied to the logits. Apply it to the layer's output."),
    ],
    right=[
        edited,
        """
        def run_edited(network, layer, edit, x):
            def hook(module, inputs, output):
                return edit(output)

            module = network.get_submodule(layer)
            with contextmanager(lambda: (yield from on(module, hook)))():
                return network(x)


        def on(module, hook):
            handle = module.register_forward_hook(hook)
            try:
                yield
            finally:
                handle.remove()
        """,
    ],
    hints=[
        ("Help, my logits do not change", "If a hook only changes a local variable, nothing "
         "happens. The value that the hook *returns* replaces the layer's output."),
        ("Help, which function returns which value?", "The hook returns `edit(output)`. Your "
         "function returns the result of `network(x)`, which runs while the hook is on."),
        ("Help, I need the line itself", "`handle = "
         "network.get_submodule(layer).register_forward_hook(lambda layer, inputs, output: "
         "edit(output))`, then run, then `handle.remove()`, then return the logits."),
    ],
)


# --- edits ----------------------------------------------------------------------------------------


ONE_ROW = "The edit must return one row for each row of output."

exercise("d1.1.3",
    cases=activations,
    use=lambda answer, recorded, output: made_and_used(answer(recorded), output),
    mistakes=[
        edit("recorded.mean(dim=0)", "output.mean(dim=0)",
             says="This is the mean of the batch that you edit. Take the mean of the recorded "
                  "activations."),
        edit("recorded.mean(dim=0)", "recorded.mean()",
             says="Every neuron got the same value. Average over images (dim 0) only."),
        edit(".expand_as(output)", "",
             says=f"The numbers are right, but this is a single row. {ONE_ROW}"),
        edit("dim=0).expand_as(output)", "dim=0, keepdim=True)",
             says=f"This is a single row [1, d_layer]. {ONE_ROW}"),
        edit("expand_as(output)", "expand_as(recorded)",
             says=f"This has one row for each recorded row. {ONE_ROW}"),
        instead("def mean_edit(recorded):\n    return recorded.mean(dim=0)",
                says="an edit is a function of the layer's output. Return `lambda output: ...`."),
    ],
    right=[
        """
        def mean_edit(recorded):
            average = recorded.sum(0) / len(recorded)

            def edit(output):
                return torch.stack([average for _ in output])

            return edit
        """,
    ],
    hints=[
        ("Help, how can a function return an edit?", "Write `return lambda output: ...`. The "
         "function can still read `recorded` when it's called later."),
        ("Help, which shape should it have?", "`recorded.mean(dim=0)` is one row [d_layer]. The "
         "edit must return as many copies of it as `output` has rows."),
        ("Help, how do I copy a row?", "`row.expand_as(output)` repeats the row until it has the "
         "shape of `output`."),
    ],
)


def draws(seed):
    """Returns rows with repetitions, and outputs; square ones show a wrong axis in the values."""
    torch.manual_seed(seed)
    fixed = torch.tensor([2, 0, 2, 1])
    sizes = ((6, 6), (5, 3), (3, 5))
    return [
        (fixed, torch.randn(4, 4)),
        *((torch.randint(size[0], size[:1]), torch.randn(size)) for size in sizes),
    ]


exercise("d1.1.4",
    cases=draws,
    use=lambda answer, rows, output: made_and_used(answer(rows), output),
    mistakes=[
        edit("output[rows]", "output[:, rows]",
             says="This exchanges neurons. `rows` chooses images, the first axis of output."),
        edit("output[rows]", "output.clone().index_copy_(0, rows, output)",
             says="This sends row i to rows[i]. Row i should *fetch* row rows[i], and some rows "
                  "are fetched twice."),
        edit("output[rows]",
             "torch.stack([c[rows.roll(i)] for i, c in enumerate(output.unbind(1))], dim=1)",
             says="Each neuron has its own draw. All values of a row must come from the same "
                  "image."),
        edit("output[rows]", "output", says="The output is unchanged. Index it with rows."),
        edit("output[rows]", "output[rows.sort().values]",
             says="You sorted the rows. Image i gets row rows[i], so keep them in the given "
                  "order."),
        instead("def resample_edit(rows):\n    return images[rows]",
                says="an edit is a function of the layer's output. Return `lambda output: ...`."),
    ],
    right=[
        "def resample_edit(rows):\n    return lambda output: torch.stack([output[row] for row in "
        "rows.tolist()])",
        "def resample_edit(rows):\n    return lambda output: output.index_select(0, rows)",
    ],
    hints=[
        ("Help, which way round is rows?", "`rows[i]` says where image i gets its activations. "
         "Image i *fetches* row `rows[i]`, and no row is sent anywhere."),
        ("Help, do I need a loop?", "No. If you index a tensor with a tensor of whole numbers, "
         "you get one row for each number."),
        ("Help, I need the line itself", "`return lambda output: output[...]`. Put `rows` in "
         "place of the dots."),
    ],
)


def hits(seed):
    """Returns answers in which the same images are easy in every draw."""
    torch.manual_seed(seed)
    sizes = ((12, 3000), (1, 4000), (5, 2500))
    return [(torch.rand(draws, rows) < torch.rand(rows) ** 0.5,) for draws, rows in sizes]


# either divisor of the variance is right, and makes a difference below the tolerance
exercise("d1.1.5", cases=hits, tolerance=0.001,
    mistakes=[
        edit(".mean(dim=0)", ".flatten()",
             says="The error counts every draw as a new image, so it's too small. Average "
                  "over draws (dim 0) first."),
        edit(" / len(per_image) ** 0.5", "",
             says="This is the standard deviation over images. Divide it by the square root of "
                  "their number."),
        edit("100 * ", "", says="These numbers are between 0 and 1. Return both in per cent."),
        edit("** 0.5", "",
             says="You divided by the number of images. Divide by its square root."),
        edit("len(per_image)", "len(correct)",
             says="You divided by the square root of the number of draws. The independent items "
                  "are the images."),
        edit("dim=0", "dim=1",
             says="This averages over images and takes the error over draws. Average over draws "
                  "(dim 0); the images are the independent items."),
        edit("per_image.mean().item(), per_image.std().item() / len(per_image) ** 0.5",
             "per_image.std().item() / len(per_image) ** 0.5, per_image.mean().item()",
             says="The two numbers are in the wrong order. Return the accuracy first, then its "
                  "error."),
    ],
    right=[
        """
        def accuracy_with_error(correct):
            rates = [100 * sum(column) / len(column) for column in correct.float().T.tolist()]
            mean = sum(rates) / len(rates)
            spread = (sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)) ** 0.5
            return mean, spread / len(rates) ** 0.5
        """,
    ],
    hints=[
        ("Help, why is my error too small?", "Twenty draws of one image agree with each other, "
         "because an easy image is easy in all of them. Different images are independent, and "
         "draws of the same image aren't."),
        ("Help, in which order?", "First average over draws (`dim=0`), which gives one number "
         "for each image. Then take the mean of these numbers, and their standard deviation "
         "divided by the square root of how many there are."),
        ("Help, almost there", "`per_image = 100 * correct.float().mean(dim=0)`, and then "
         "`per_image.mean().item()` and `per_image.std().item() / len(per_image) ** 0.5`."),
    ],
)


def narrowing(seed):
    """Returns edits that act on columns, on whole rows, and with values from another batch."""
    torch.manual_seed(seed)
    recorded = torch.rand(7, 5)
    return [
        (change, neuron, torch.rand(rows, 5) + 1)
        for change in (torch.zeros_like, backwards, across, average_of(recorded))
        for neuron, rows in ((0, 5), (3, 4), (4, 6))
    ]


def backwards(output):
    return output.flip(0)


def across(output):
    return output.roll(1, dims=1) + output.mean(1, keepdim=True)


def average_of(recorded):
    def mean_of_recorded(output):
        return recorded.mean(0).expand_as(output)

    return mean_of_recorded


def narrow_use(answer, edit, neuron, output):
    before = output.clone()
    result = answer(edit, neuron)
    if not callable(result):
        raise Wrong(
            f"It returns {kind_of(result)}, and a narrowed edit is a function of the "
            "layer's output. Return the inner function."
        )
    return {"edited": result(output), "its input is as it was": torch.equal(before, output)}


exercise("d1.1.6", cases=narrowing, use=narrow_use,
    mistakes=[
        edit("output.clone()", "output",
             says="The edit was written into the activations themselves. Work on output.clone()."),
        edit("changed[:, neuron] = edit(output)[:, neuron]",
             "changed[neuron] = edit(output)[neuron]",
             says="This changes one image. A neuron is a column, output[:, neuron]."),
        edits(("output.clone()", "edit(output).clone()"),
              ("edit(output)[:, neuron]", "output[:, neuron]"),
              says="This edits every neuron except the given one. Edit only the given one."),
        edit("return changed", "return edit(output)",
             says="Every neuron was edited. Take only column `neuron` from edit(output)."),
        edit("        changed[:, neuron] = edit(output)[:, neuron]\n", "",
             says="Nothing has changed. Put the edited column into the copy."),
        edit("changed[:, neuron] = edit(output)[:, neuron]",
             "changed[:, neuron : neuron + 1] = edit(output[:, neuron : neuron + 1])",
             says="You call the edit on one column, and an edit of a layer needs the whole layer. "
                  "Call edit(output), then keep one column of its result."),
        edit("        return changed\n", "",
             says="The inner function returns nothing. Return the changed copy from it."),
        edit("edit(output)[:, neuron]", "edit(output[:, neuron])",
             says="You call the edit on a single neuron, which has one axis. Call edit(output), "
                  "then keep one column of its result."),
    ],
    right=[
        """
        def only_neuron(edit, neuron):
            return lambda output: torch.where(
                torch.arange(output.shape[1]) == neuron, edit(output), output
            )
        """,
    ],
    hints=[
        ("Help, I changed a tensor that I shouldn't change",
         "`output` belongs to the network. Make a copy with `.clone()` and write into the copy."),
        ("Help, rows or columns?", "Rows are images and columns are neurons. One neuron on all "
         "images is `output[:, neuron]`."),
        ("Help, almost the code", "Define a function inside: copy, put `edit(output)[:, neuron]` "
         "into that column of the copy, return the copy. Then return the inner function."),
    ],
)


# --- one number from an edit ----------------------------------------------------------------------


def steps(hidden):
    return hidden[:, 0] + 2 * (hidden[:, 1] > 0.5).float() - hidden[:, 2] ** 2


def slopes(hidden):
    return hidden @ torch.tensor([2.0, -1.0, 0.5])


def tiny_runs(seed):
    torch.manual_seed(seed)
    changes = (torch.zeros_like, backwards, average_of(torch.randn(9, 3)))
    return [
        (net, torch.randn(rows, 3), change)
        for net, rows in ((steps, 9), (slopes, 6))
        for change in changes
    ]


CANCEL = "Rows that rise and fall cancel. Take each row's absolute change, and then the mean."

exercise("d1.1.7", cases=tiny_runs,
    mistakes=[
        edit(".abs()", "", says=CANCEL),
        edit(".abs().mean()", ".mean().abs()", says=CANCEL),
        edit("(network(edit(hidden)) - network(hidden))", "(edit(hidden) - hidden)",
             says="This is the change of the hidden layer. Measure the change of the network's "
                  "output."),
        edit("network(edit(hidden))", "edit(network(hidden)[:, None])[:, 0]",
             says="This edits the output of the network. Edit the hidden layer, and then run the "
                  "network."),
        edit(".abs()", ".square()",
             says="This is the mean *squared* change. Use the absolute value."),
        edit(".mean().item()", "", says="This is one number for each row. Return their mean."),
        edit(".mean()", ".sum()", says="This is a sum over rows. Return the mean."),
    ],
    right=[
        """
        def damage(network, hidden, edit):
            pairs = zip(network(edit(hidden)).tolist(), network(hidden).tolist(), strict=True)
            return sum(abs(after - before) for after, before in pairs) / len(hidden)
        """,
    ],
    hints=[
        ("Help, which two outputs do I compare?", "Compare the network's output on the edited "
         "hidden layer with its output on the original hidden layer, row by row."),
        ("Help, my damage is 0 although outputs change", "Some rows go up and others go down. Take "
         "the absolute value of each row's change before averaging."),
        ("Help, almost the code", "`(network(edit(hidden)) - network(hidden))`, then `.abs()`, "
         "then `.mean()`, then `.item()`."),
    ],
)


# --- two runs -------------------------------------------------------------------------------------


def two_runs(seed):
    layers = ("hidden", "inner", "out", "x")
    return [(net, layer, x, x.flip(0) + 1) for net, x in networks(seed) for layer in layers]


exercise("d1.1.8", cases=two_runs, use=observed,
    mistakes=[
        edits(("layer, source)", "layer, base)"), ("other, base)", "other, source)"),
              says="You swapped base and source. The network runs on base, and only the layer's "
                   "output comes from source."),
        edit("return run_edited(network, layer, lambda output: other, base)",
             "return network(source)",
             says="This is the whole network on source. Everything except the layer must come "
                  "from base."),
        edit("lambda output: other", "lambda output: output",
             says="This is the network on base, without a patch. The edit must return the "
                  "activations from the run on source."),
        edit("other, base)", "other, base) - network(base)",
             says="This is the change that the patch makes. Return the patched logits."),
        instead("""
                def patch_layer(network, layer, base, source):
                    other = read_layer(network, layer, source)
                    network.get_submodule(layer).register_forward_hook(lambda *arguments: other)
                    return network(base)
                """,
                says="The logits are right, but a hook is still on the network. Use run_edited, "
                     "which removes its hook."),
        edit("lambda output: other", "other",
             says="run_edited takes an edit, which is a function of the layer's output, and this "
                  "is a tensor. Pass `lambda output: other`."),
        edit("lambda output: other", "lambda output: read_layer(network, layer, source)",
             says="The inner run starts while the hook is on, so the hook calls itself forever. "
                  "Read the layer on source first, before run_edited."),
    ],
    right=[
        lambda network, layer, base, source: edited(
            network, layer, lambda output: layer_by_layer(network, source)[layer], base
        ),
    ],
    hints=[
        ("Help, which run is which?", "You change the run on `base`. From the run on `source` you "
         "take only the layer's output."),
        ("Help, my hook calls itself", "If your edit runs the network, that run calls the edit "
         "again. Read the layer on `source` first, and then pass `lambda output: other`."),
        ("Help, almost the code", "First `other = read_layer(network, layer, source)`. Then "
         "`run_edited` on `base`, with an edit that ignores its argument and returns `other`."),
    ],
)


class Stop(RuntimeError):
    """Is raised inside a block, to see whether the hook stays on; of the type in the lesson."""


def ones(module, inputs, output):
    return torch.ones_like(output)


def hooked_use(answer, network, x):
    """Returns the logits inside and after blocks; raises Wrong for a hook that stays on."""
    foreign = []
    network.hidden.register_forward_hook(lambda module, inputs, output: foreign.append(1))
    block = answer(network, "hidden", ones)
    if not hasattr(block, "__enter__"):
        raise Wrong(
            f"It gives {kind_of(block)}, which `with` cannot use. Put @contextmanager "
            "above it."
        )
    with block:
        inside = network(x)
    clean = logits_of(network, x, x)
    if torch.allclose(inside, clean):
        raise Wrong("Inside the block the hook does nothing. Register it before yield.")
    require_clean(network, "after the block")
    for error, told in ((Stop, "an error"), (KeyboardInterrupt, "an interrupt of the kernel")):
        with suppress(error), answer(network, "inner", ones):
            raise error
        require_clean(network, f"after {told} inside the block. {FINALLY}")
    require_its_own(answer, network)
    with answer(network, "out", ones), answer(network, "hidden", ones):
        both = network(x)
    require_clean(network, "after two blocks, one inside the other")
    return {"inside the block": inside, "after it": network(x), "inside two": both,
            "an error passes": error_passes(answer, network)}  # fmt: skip


FINALLY = "Put yield in try, and remove in finally"
GONE = "Another hook is gone after the block. Remove your own by its handle, and clear nothing."


def require_clean(network, when):
    if hooks_on(network) > 1:
        raise Wrong(f"The hook is still on {when}.")
    if hooks_on(network) < 1:
        raise Wrong(GONE)


def require_its_own(answer, network):
    """Checks that the same hook, put on the layer inside the block by other code, stays on."""
    with answer(network, "hidden", ones):
        other = network.hidden.register_forward_hook(ones)
    if other.id not in network.hidden._forward_hooks:
        raise Wrong(GONE)
    other.remove()
    require_clean(network, "after the block")


def error_passes(answer, network):
    try:
        with answer(network, "hidden", ones):
            raise Stop
    except Stop:
        return True
    raise Wrong("An error inside the block is swallowed. Use finally, without except.")


exercise("d1.1.9", cases=networks, use=hooked_use,
    mistakes=[
        edit("    try:\n        yield\n    finally:\n        handle.remove()",
             "    yield\n    handle.remove()",
             says="The hook is still on after an error inside the block."),
        edit("finally:\n        handle.remove()", "finally:\n        pass",
             says="The hook is still on after the block."),
        edit("finally:", "except Exception:\n        handle.remove()\n        raise\n    else:",
             says="The hook is still on after an interrupt of the kernel inside the block."),
        *[edit("handle.remove()", f"network.get_submodule(layer)._forward_hooks.{method}()",
               says="Another hook is gone after the block.")
          for method in ("clear", "popitem")],
        *[edit("finally:", f"except {kind}:\n        pass\n    finally:",
               says="An error inside the block is swallowed. Use finally, without except.")
          for kind in ("Exception", "RuntimeError")],
        edit("    try:", "    handle.remove()\n    try:",
             says="Inside the block the hook does nothing. Register it before yield."),
        instead("def hooked(network, layer, hook):\n    return network(x)",
                says="which `with` cannot use. Put @contextmanager above it."),
    ],
    right=[
        """
        class hooked:
            def __init__(self, network, layer, hook):
                self.module, self.hook = network.get_submodule(layer), hook

            def __enter__(self):
                self.handle = self.module.register_forward_hook(self.hook)

            def __exit__(self, *error):
                self.handle.remove()
        """,
        "def hooked(network, layer, hook):\n    return "
        "network.get_submodule(layer).register_forward_hook(hook)",
    ],
    hints=[
        ("Help, what does yield do here?", "The code before `yield` runs at the start of the "
         "`with` block, and the code after it runs at the end. The block runs at the `yield`."),
        ("Help, an error jumps over my remove", "An error in the block is raised at the `yield`. "
         "Put the `yield` into `try:` and the removal into `finally:`, which runs in either case."),
        ("Help, almost the code", "`handle = ...register_forward_hook(hook)`, then `try:` with a "
         "bare `yield`, then `finally:` with `handle.remove()`. Don't write `except`, because the "
         "error should reach the caller."),
    ],
)


# --- one of two paths -----------------------------------------------------------------------------


def attempt_use(answer, network, x, rows):
    """Returns the logits; the network must have run on x itself, with the edit on its layer x."""
    ran_on = []
    probe = network.x.register_forward_pre_hook(lambda module, inputs: ran_on.append(inputs[0]))
    value = answer(network, x, rows)
    probe.remove()
    if not any(torch.equal(each, x) for each in ran_on):
        raise Wrong(
            'The network never ran on x. Run it on x, with resample_edit(rows) on the layer "x".'
        )
    return {"the value": value, "hooks left on": hooks_on(network)}


exercise("d1.1.10", cases=with_rows, use=attempt_use,
    mistakes=[
        edit('"x"', '"hidden"',
             says="This resamples only the hidden path. The layer that both paths read is called "
                  "x."),
        edit("resample_edit(rows)", "lambda output: output",
             says="Nothing was resampled. Edit the layer x with resample_edit(rows)."),
        *[edit("resample_edit(rows)", tensor,
               says="run_edited takes an edit, which is a function of the layer's output, and this "
                    "is a tensor. Pass `resample_edit(rows)`.")
          for tensor in ("x[rows]", "resample_edit(rows)(x)")],
        edit("resample_edit(rows)", "torch.zeros_like",
             says="The layer x was set to zero. Resample it by rows."),
        edit('return run_edited(network, "x", resample_edit(rows), x)', "return network(x[rows])",
             says="The network never ran on x."),
        edit('return run_edited(network, "x", resample_edit(rows), x)',
             "return network(x) - x @ network.skip.T + x[rows] @ network.skip.T",
             says="This resamples only the skip path, which is our goal. But first try a single "
                  "hook on x."),
    ],
    right=[
        """
        def skip_attempt(network, x, rows):
            with hooked_on(network.x, lambda layer, inputs, output: output[rows]):
                return network(x)


        @contextmanager
        def hooked_on(layer, hook):
            handle = layer.register_forward_hook(hook)
            yield
            handle.remove()
        """,
    ],
    hints=[
        ("Help, is it really that short?", "Yes, it's one line. The result is the interesting "
         "part."),
        ("Help, which functions do I need?", "`run_edited` puts an edit on a layer. "
         "`resample_edit` makes the edit from rows."),
        ("Help, almost the code", "`run_edited(network, ..., resample_edit(rows), x)`. The "
         "layer's name is a single letter."),
    ],
)


def skip_only_by_hand(network, x, rows):
    return logits_of(network, x, x[rows])


exercise("d1.1.11", cases=with_rows, use=observed,
    mistakes=[
        edit("output: clean", "output: output",
             says="Both paths read the other image. Restore the hidden path."),
        edits(('"hidden", x)', '"hidden", x[rows])'), ("output[rows]", "output"),
              says="You swapped the paths. Here the skip path reads the original image, and the "
                   "hidden path reads the other one."),
        edit("output[rows]", "output",
             says="The skip path still reads the original image. The hook on x changes "
                  "nothing."),
        edit("output: clean", "output: torch.zeros_like(output)",
             says="The hidden path is at zero. Restore its values instead of setting them to zero."),
        instead("""
                def skip_only(network, x, rows):
                    clean = read_layer(network, "hidden", x)
                    network.x.register_forward_hook(lambda layer, inputs, output: output[rows])
                    network.hidden.register_forward_hook(lambda layer, inputs, output: clean)
                    return network(x)
                """,
                says="The logits are right, but hooks are still on the network. Use `hooked`."),
        instead("""
                def skip_only(network, x, rows):
                    return run_edited(
                        network, "hidden", lambda output: read_layer(network, "hidden", x), x[rows]
                    )
                """,
                says="The inner run starts while the hook is on, so the hook calls itself "
                     "forever. Make the clean run first."),
    ],
    right=[
        skip_only_by_hand,
        """
        def skip_only(network, x, rows):
            clean = read_layer(network, "inner", x)
            return run_edited(network, "inner", lambda output: clean, x[rows])
        """,
    ],
    hints=[
        ("Help, both paths get the other image", "A hook on `x` does that. Which layers belong to "
         "the hidden path *only*? Restore the output of one of them."),
        ("Help, where do I get the right values from?",
         'Make a clean run first, with `read_layer(network, "hidden", x)`. A second hook can '
         "return these values."),
        ("Help, almost the code", '`with hooked(network, "x", ...), hooked(network, "hidden", '
         "...): return network(x)`. The first hook returns `output[rows]`, and the second "
         "returns the values of the clean run."),
    ],
)


# --- stretch --------------------------------------------------------------------------------------


def two_terms(seed):
    """Returns logits that are sums of two terms, like those of the two paths of the network."""
    torch.manual_seed(seed)
    cases = []
    for rows in (4, 6):
        hidden, skip, other_hidden, other_skip = torch.randn(4, rows, 10)
        cases.append((hidden + skip, hidden + other_skip, other_hidden + skip))
    return cases


exercise("d1.1.12", cases=two_terms,
    mistakes=[
        edit(" - clean", "",
             says="The terms that were *not* resampled are still in the sum. Each experiment has "
                  "one clean term."),
        edit("skip + hidden - clean", "(skip + hidden) / 2",
             says="This is the average of the two experiments. Add them, and subtract the clean "
                  "terms."),
        edit("- clean", "- 2 * clean",
             says="These are only the two changes. Add them to the clean logits."),
        edit("skip + hidden - clean", "3 * clean - skip - hidden",
             says="The signs are reversed. If both are resampled, the logits move in the direction "
                  "of the single experiments."),
    ],
    right=[
        "def both_from_parts(clean, skip, hidden):\n    return torch.stack([clean, skip - clean, "
        "hidden - clean]).sum(0)",
    ],
    hints=[
        ("Help, which terms does each tensor contain?", "Write each tensor as a hidden term plus a "
         "skip term, and mark the terms that come from the other image."),
        ("Help, I get too much", "`skip + hidden` contains four terms, the two that we want and "
         "two clean ones. Which terms do the clean logits contain?"),
        ("Help, almost the code", "Add the two experiments, and subtract the clean logits once."),
    ],
)


def mixtures(seed):
    torch.manual_seed(seed)
    doses = {0.0: 5, 0.25: 5, 0.6: 3, 1.0: 7}
    return [(torch.randint(5, (5,)), dose, torch.randn(5, wide)) for dose, wide in doses.items()]


exercise("d1.1.13",
    cases=mixtures,
    use=lambda answer, rows, dose, output: made_and_used(answer(rows, dose), output),
    mistakes=[
        edit("(1 - dose) * output + dose * output[rows]",
             "dose * output + (1 - dose) * output[rows]",
             says="You swapped the two weights. At a dose of 0 the image keeps its activations."),
        edit("(1 - dose) * output", "output",
             says="The other image is added on top. Multiply the image's own part by (1 - dose)."),
        edit("(1 - dose) * output + dose * output[rows]", "output[rows]",
             says="This replaces the activations at every dose. Mix the two rows."),
        edit("output[rows]", "output[:, rows]",
             says="This exchanges neurons. `rows` chooses images, the first axis."),
    ],
    right=[
        "def dose_edit(rows, dose):\n    return lambda output: torch.lerp(output, output[rows], "
        "dose)",
    ],
    hints=[
        ("Help, which end is which?", "At a dose of 0 the edit changes nothing. At a dose of 1 "
         "it's the same as `resample_edit`."),
        ("Help, how do I mix?", "Take a weighted sum of `output` and `output[rows]`, with weights "
         "that add up to 1."),
        ("Help, almost the code", "`lambda output: (1 - dose) * output + ...`"),
    ],
)


def programs(seed):
    """Returns programs with a node read twice, out of reach, without readers, and with 60 blocks.

    Two programs use the same names, and one lists its nodes from the end to the start.
    """
    by_hand = {"x": ["hidden", "logits"], "hidden": ["logits"]}
    twice = {"x": ["square", "square"], "square": ["sum"], "other": ["sum"]}
    return [
        (by_hand, "x", "logits"),
        (twice, "x", "sum"),
        (twice, "sum", "x"),
        (by_hand, "hidden", "hidden"),
        (by_hand, "logits", "logits"),
        ({**by_hand, "x": ["logits", "hidden", "logits"]}, "x", "logits"),
        (blocks(3 + seed % 3), "x0", "x2"),
        (dict(reversed(blocks(4).items())), "x0", "x4"),
        (blocks(60), "x0", "x60"),
    ]


def blocks(count):
    readers = {}
    for i in range(count):
        readers[f"x{i}"] = [f"block{i}", f"x{i + 1}"]
        readers[f"block{i}"] = [f"x{i + 1}"]
    return readers


REACHABLE = """
def count_paths(readers, start, end):
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += readers.get(node, [])
    return len(seen - {start}) if end in seen else 0
"""

# an answer that walks every path need not wait longer to be told
exercise("d1.1.14", cases=programs, tolerance=0, seconds=1.0,
    mistakes=[
        edit("sum(count(reader) for reader in readers.get(node, []))",
             "sum(count(reader) for reader in dict.fromkeys(readers.get(node, [])))",
             says="A node that reads twice makes two paths, so don't remove repeated readers."),
        instead(REACHABLE,
                says="This counts nodes. Count the paths that end at the last node."),
        edits(("{end: 1}", "{end: 0}"),
              ("sum(count(reader) for reader in readers.get(node, []))",
               "max((1 + count(reader) for reader in readers.get(node, [])), default=-(10**6))"),
              ("return count(start)", "return max(count(start), 0)"),
              says="This is the length of the longest path. Count the paths."),
        instead("""
                def count_paths(readers, start, end, known={}):
                    if (start, end) not in known:
                        rest = [count_paths(readers, each, end) for each in readers.get(start, [])]
                        known[start, end] = 1 if start == end else sum(rest)
                    return known[start, end]
                """,
                says="The counts of an earlier call are still there. Begin each call with a new "
                     "dict, because a default argument such as `known={}` is made only once."),
        instead("""
                def count_paths(readers, start, end):
                    counts = dict.fromkeys(readers, 0) | {start: 1}
                    for node in readers:
                        for reader in readers[node]:
                            counts[reader] = counts.get(reader, 0) + counts[node]
                    return counts.get(end, 0)
                """,
                says="This takes the nodes in the order of the dict. A reader may come before the "
                     "node that it reads, so go from each node to its readers."),
        edit("return count(start)", "return sum(map(len, readers.values()))",
             says="This counts readings, and one reading can belong to many paths."),
        instead("""
                def count_paths(readers, start, end):
                    if start == end:
                        return 1
                    return sum(count_paths(readers, each, end) for each in readers.get(start, []))
                """,
                says="is there a loop that does not end?"),
    ],
    right=[
        """
        def count_paths(readers, start, end):
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
                total = sum(counts.get(reader, 0) for reader in readers.get(node, []))
                counts.setdefault(node, total)
            return counts[start]
        """,
    ],
    hints=[
        ("Help, my function doesn't finish", "It follows each path separately. Two paths that "
         "meet in a node have the same continuations. How often do you count these?"),
        ("Help, which results should I store?", "For each node, store the number of paths from it "
         "to the end. It's the sum over the node's readers, and for the end itself it's 1."),
        ("Help, almost the code", "A dict `known = {end: 1}` and an inner function `count(node)`. "
         "If the node is not in `known`, store `sum(count(reader) for reader in readers.get(node, "
         "[]))`."),
    ],
)


# --- recall ---------------------------------------------------------------------------------------

quiz("d1.1.quiz",
    constant=option("zero", "mean", "resample",
               says="Which replacement also removes the part that's the same for every image?"),
    switch=option("zero", "mean", "resample",
               says="Which replacement can lie between the two values?"),
    direction=option("noising", "denoising",
               says="The clean part repairs the run. Which of the two words means that?"),
    logits=number(says="Everything that reads x gets the replacement, including the hidden path."),
    error=number(says="The 20 draws of one image are not independent of each other."),
    hints=[
        ("Help, constant and switch", "Look at the table of three neurons and three ablations in "
         "d1.1.7. Which cells are large although they shouldn't be?"),
        ("Help, direction", "In d1.1.8, one direction breaks a clean run, and the other one "
         "repairs a corrupted run."),
        ("Help, the two numbers", "In d1.1.10 the logits were equal to those of the other "
         "image. In d1.1.5 you averaged over the draws of each image first."),
    ],
)
