"""Answers to d1.1.1 to d1.1.7: reading a layer, replacing it, and numbers from edited runs."""

import torch

# --- d1.1.1 and d1.1.2 ------------------------------------------------------------------------------------------------


def read_and_leave(network, layer, x):
    seen = []
    network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(x)
    return seen[0]


def read_the_result(network, layer, x):
    handle = network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: None)
    result = network(x)
    handle.remove()
    return result


def read_the_input(network, layer, x):
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    network(x)
    handle.remove()
    return seen[0]


def read_a_list(network, layer, x):
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(x)
    handle.remove()
    return seen


def read_with_a_dict(network, layer, x):
    kept = {}

    def keep(module, inputs, output):
        kept[layer] = output.clone()

    handle = dict(network.named_modules())[layer].register_forward_hook(keep)
    try:
        network.forward(x)
    finally:
        handle.remove()
    return kept[layer]


def edit_without_return(network, layer, edit, x):
    def hook(module, inputs, output):
        edit(output)

    handle = network.get_submodule(layer).register_forward_hook(hook)
    logits = network(x)
    handle.remove()
    return logits


def edit_the_input(network, layer, edit, x):
    handle = network.get_submodule(layer).register_forward_pre_hook(lambda module, inputs: (edit(inputs[0]),))
    logits = network(x)
    handle.remove()
    return logits


def edit_and_return_layer(network, layer, edit, x):
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(x)
    handle.remove()
    return edit(seen[0])


def edit_and_leave(network, layer, edit, x):
    network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: edit(output))
    return network(x)


def edit_by_replacing_forward(network, layer, edit, x):
    module = network.get_submodule(layer)
    original = module.forward
    module.forward = lambda *inputs: edit(original(*inputs))
    try:
        return network(x)
    finally:
        del module.forward


# --- d1.1.4 to d1.1.7 -------------------------------------------------------------------------------------------------


def send(rows):
    def edit(output):
        new = torch.empty_like(output)
        new[rows] = output
        untouched = [i for i in range(len(output)) if i not in rows.tolist()]
        new[untouched] = output[untouched]
        return new

    return edit


def own_draw_for_each_neuron(rows):
    return lambda output: torch.stack([output[:, i][rows.roll(i)] for i in range(output.shape[1])], dim=1)


def with_index_select(rows):
    return lambda output: output.index_select(0, rows)


def many_images(correct):
    correct = 100 * correct.float()
    return correct.mean().item(), correct.std().item() / correct.numel() ** 0.5


def forgot_per_cent(correct):
    per_image = correct.float().mean(0)
    return per_image.mean().item(), (per_image.std() / len(per_image) ** 0.5).item()


def forgot_the_root(correct):
    per_image = 100 * correct.float().mean(0)
    return per_image.mean().item(), per_image.std().item()


def error_over_draws(correct):
    per_image = 100 * correct.float().mean(0)
    return per_image.mean(), per_image.std() / correct.shape[0] ** 0.5


def by_numpy(correct):
    rates = correct.numpy().mean(axis=0) * 100
    return [rates.mean(), rates.std(ddof=1) / rates.size**0.5]


def in_place(edit, neuron):
    def narrowed(output):
        output[:, neuron] = edit(output)[:, neuron]
        return output

    return narrowed


def a_row(edit, neuron):
    def narrowed(output):
        changed = output.clone()
        changed[neuron] = edit(output)[neuron]
        return changed

    return narrowed


def all_the_others(edit, neuron):
    def narrowed(output):
        changed = edit(output).clone()
        changed[:, neuron] = output[:, neuron]
        return changed

    return narrowed


def by_concatenation(edit, neuron):
    return lambda output: torch.cat(
        [output[:, :neuron], edit(output)[:, neuron : neuron + 1], output[:, neuron + 1 :]], dim=1
    )


WRONG = [
    ("d1.1.1", read_and_leave, "hook is still on the layer"),
    ("d1.1.1", read_the_result, "what the hook saw, not what the run returned"),
    ("d1.1.1", read_the_input, "this is what the layer reads"),
    ("d1.1.1", read_a_list, "return the tensor"),
    ("d1.1.1", lambda network, layer, x: network.get_submodule(layer)(x), "whatever the layers before it make of x"),
    ("d1.1.2", edit_without_return, "by *returning* the replacement"),
    ("d1.1.2", edit_the_input, "apply it to its output"),
    ("d1.1.2", edit_and_return_layer, "return the logits that follow"),
    ("d1.1.2", edit_and_leave, "hook is still on the layer"),
    ("d1.1.2", lambda network, layer, edit, x: edit(network(x)), "applied to the logits"),
    ("d1.1.3", lambda recorded: lambda output: output.mean(0).expand_as(output), "batch that is being edited"),
    ("d1.1.3", lambda recorded: lambda output: torch.full_like(output, recorded.mean()), "average over images"),
    ("d1.1.3", lambda recorded: lambda output: recorded.mean(dim=0), "this is one row"),
    ("d1.1.3", lambda recorded: lambda output: recorded.mean(0)[None], "an axis of 1"),
    ("d1.1.3", lambda recorded: lambda output: recorded.mean(0).repeat(len(recorded), 1), "as were recorded"),
    ("d1.1.4", lambda rows: lambda output: output[:, rows], "exchanges neurons"),
    ("d1.1.4", send, "sends row i to rows[i]"),
    ("d1.1.4", own_draw_for_each_neuron, "each neuron got its own draw"),
    ("d1.1.4", lambda rows: lambda output: output, "the output is unchanged"),
    ("d1.1.4", lambda rows: lambda output: output[rows.sort().values], "in the order given"),
    ("d1.1.5", many_images, "counts every draw as a new image"),
    ("d1.1.5", forgot_per_cent, "asked for in per cent"),
    ("d1.1.5", forgot_the_root, "standard deviation over images"),
    ("d1.1.5", error_over_draws, "the independent items are the images"),
    ("d1.1.6", in_place, "work on output.clone()"),
    ("d1.1.6", a_row, "a neuron is a column"),
    ("d1.1.6", all_the_others, "every neuron but the one"),
    ("d1.1.6", lambda edit, neuron: edit, "every neuron was edited"),
    ("d1.1.7", lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).mean(), "before the mean."),
    ("d1.1.7", lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).mean().abs(), "not after it"),
    ("d1.1.7", lambda network, hidden, edit: (edit(hidden) - hidden).abs().mean(), "how far the hidden layer moved"),
    (
        "d1.1.7",
        lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).abs(),
        "one number for each row",
    ),
]

RIGHT = [
    ("d1.1.1", read_with_a_dict),
    ("d1.1.2", edit_by_replacing_forward),
    (
        "d1.1.3",
        lambda recorded: lambda output: torch.einsum("rd->d", recorded).div(len(recorded)).repeat(len(output), 1),
    ),
    ("d1.1.4", with_index_select),
    ("d1.1.5", by_numpy),
    ("d1.1.6", by_concatenation),
    ("d1.1.7", lambda network, hidden, edit: torch.dist(network(edit(hidden)), network(hidden), p=1) / len(hidden)),
]
