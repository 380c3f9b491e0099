"""What graphs compute: d1.2.9 (each node once), d1.2.10 (a network) and d1.2.14 (many rows)."""

from __future__ import annotations

import torch

from remix_utils.checks.compare import difference, plain
from remix_utils.checks.day1.handed_in import judged
from remix_utils.checks.day1.probes import networks
from remix_utils.checks.exercise import Wrong, equal, exercise
from remix_utils.checks.own_graphs import TOY, Build, below, counted, like, recipes, value_of, values

MAKE = Build(TOY)


# --- d1.2.9 -----------------------------------------------------------------------------------------------------------


def _evaluated(words, function, recipe):
    graph, inputs = recipe(words), recipe.inputs()
    with counted(words, graph) as counts:
        value = function(graph, dict(inputs))
    _require_memory_by_node(function, graph, inputs)
    missing = dict(list(inputs.items())[1:])
    return {
        "the value": value,
        "how often it computes": dict(sorted(counts.items())),
        "the value on other inputs": function(graph, recipe.inputs(again=1)),
        "without one of the inputs": _outcome(function, graph, missing),
    }


def _require_memory_by_node(function, graph, inputs):
    """Where names are the only trouble, the same graph with a name for each node is right."""
    new = {}
    for node in below(graph):
        name = node.name if node.op.kind == "placeholder" else f"{node.name} {len(new)}"
        new[id(node)] = like(node, [new[id(child)] for child in node.children], name)
    right = value_of(graph, inputs)
    told = [plain(function(each, dict(inputs))) for each in (graph, new[id(graph)])]
    if [difference(each, plain(right)) is None for each in told] == [False, True]:
        raise Wrong("values are remembered by name, and two different nodes may have one name: remember by node.")


def _outcome(function, *arguments):
    try:
        function(*arguments)
    except NotImplementedError:
        raise
    except Exception:
        return "an error"
    return "a value"


@exercise("d1.2.9")
def _(answer, seed, reference):
    cases = [(recipe,) for recipe in recipes(seed)]
    mistakes = [
        (
            "a node that is read twice is computed twice, and what is below it too: remember each node's value.",
            _without_memory,
        ),
        (
            "the values of an earlier call are still there: begin each call with an empty memory (a default argument "
            "`values={}` is made once, for all calls).",
            _by_lasting_memory,
        ),
        ("an input that is not given is taken as 0: a missing input must be an error.", _zero_for_missing),
    ]
    judged(answer, "evaluate", seed, reference, use=_evaluated, cases=cases, oracle=_in_order, mistakes=mistakes)


def _in_order(graph, inputs):
    return value_of(graph, inputs)


def _without_memory(graph, inputs):
    if graph.op.kind == "placeholder":
        return inputs[graph.name]
    return graph.op.run(*(_without_memory(child, inputs) for child in graph.children))


def _by_lasting_memory(graph, inputs, memory={}):  # noqa: B006 - this is the mistake
    if len(memory) > 2000:
        memory.clear()
    if graph not in memory:
        parts = [_by_lasting_memory(child, inputs) for child in graph.children]
        memory[graph] = inputs[graph.name] if graph.op.kind == "placeholder" else graph.op.run(*parts)
    return memory[graph]


def _zero_for_missing(graph, inputs):
    free = [node for node in below(graph) if node.op.kind == "placeholder"]
    return value_of(graph, {**{node.name: torch.zeros(node.shape) for node in free}, **inputs})


# --- d1.2.10 ----------------------------------------------------------------------------------------------------------

NAMED = ("inner", "hidden", "out", "skip.product", "logits")


def _as_network(words, function, network, x):
    """What the graph's named nodes say on one image, and how many inputs it has."""
    graph = function({name: weight.detach().clone() for name, weight in network.state_dict().items()})
    if not hasattr(graph, "op"):
        raise Wrong(f"network_graph gives a {type(graph).__name__}, expected the node of the logits.")
    nodes = below(graph)
    missing = [name for name in ("x", *NAMED) if name not in [node.name for node in nodes]]
    if missing:
        raise Wrong(f"no node is called {missing[0]!r}; their names are {', '.join(node.name for node in nodes)}.")
    known = values(graph, {node.name: x for node in nodes if node.op.kind == "placeholder"})
    return {
        "the value of": {node.name: known[id(node)] for node in nodes if node.name in NAMED},
        "the number of placeholders": sum(node.op.kind == "placeholder" for node in nodes),
        "the root": graph.name,
    }


def _digits(weights, relu=True, bias=True, skip=True, inputs=1):
    x = MAKE.x("x", weights["skip"].shape[1])
    other = x if inputs == 1 else MAKE.x("x", weights["skip"].shape[1])
    array = {name: MAKE.array(value, name) for name, value in weights.items()}
    product = MAKE.einsum("h i, i -> h", array["inner.weight"], x, name="inner.product")
    inner = MAKE.add(*((product, array["inner.bias"]) if bias else (product,)), name="inner")
    hidden = MAKE.relu(inner, "hidden") if relu else MAKE.add(inner, name="hidden")
    out = MAKE.einsum("o h, h -> o", array["out.weight"], hidden, name="out")
    skipped = MAKE.einsum("o i, i -> o", array["skip"], other, name="skip.product")
    through = skipped if skip else MAKE.einsum(", o -> o", MAKE.array(0.0, "nothing"), skipped, name="gone")
    return MAKE.add(out, through, name="logits")


@exercise("d1.2.10")
def _(answer, seed, reference):
    mistakes = [
        ("hidden is not cut off at 0: it is the Relu of inner.", lambda weights: _digits(weights, relu=False)),
        ("inner lacks its bias.", lambda weights: _digits(weights, bias=False)),
        ("the skip is not added to the logits.", lambda weights: _digits(weights, skip=False)),
        (
            "two placeholders are called x: both paths must read one and the same node.",
            lambda weights: _digits(weights, inputs=2),
        ),
    ]
    cases = [(network, x[0]) for network, x in networks(seed)]
    for network, x in cases:
        vars(network)["__name__"] = f"{len(x)} pixels, {network.inner.out_features} hidden neurons"
    judged(answer, "network_graph", seed, reference, use=_as_network, cases=cases, oracle=_digits, mistakes=mistakes)
    for network, x in cases:  # beside PyTorch itself
        found = _as_network(answer[0], answer[1], network, x)
        equal(found["the value of"]["logits"], network(x[None])[0], "the logits, beside PyTorch's")


# --- d1.2.14 ----------------------------------------------------------------------------------------------------------


def _on_rows(words, function, recipe, rows):
    graph = recipe(words)
    each = [recipe.inputs(again=row) for row in range(rows)]
    return function(graph, {name: torch.stack([one[name] for one in each]) for name in each[0]})


def _one_by_one(graph, inputs):
    rows = len(next(iter(inputs.values())))
    return torch.stack([value_of(graph, {name: value[row] for name, value in inputs.items()}) for row in range(rows)])


def _first_row(graph, inputs):
    return value_of(graph, {name: value[0] for name, value in inputs.items()})


def _constants_cut(graph, inputs):
    """Whatever has as many entries along its first axis as there are rows is taken for rows."""
    rows, known = len(next(iter(inputs.values()))), {}
    for node in below(graph):
        parts = [known[id(child)] for child in node.children]
        if not parts:
            known[id(node)] = inputs[node.name] if node.op.kind == "placeholder" else node.op.run()
            continue
        has_rows = [part.ndim > 0 and len(part) == rows for part in parts]
        each = [[p[row] if has else p for p, has in zip(parts, has_rows, strict=True)] for row in range(rows)]
        known[id(node)] = torch.stack([node.op.run(*one) for one in each]) if any(has_rows) else node.op.run(*parts)
    return known[id(graph)]


@exercise("d1.2.14")
def _(answer, seed, reference):
    mistakes = [
        (
            "the operations run on rows as if these were one more axis of an example: a sum then aligns rows with "
            "some axis of the other children, and is wrong without an error. Run row by row, or use torch.vmap.",
            value_of,
        ),
        (
            "a constant was cut into rows because its first axis happens to be as long: whether a value has rows does "
            "not follow from its shape. Remember it beside the value.",
            _constants_cut,
        ),
        ("this is the value for the first row alone.", _first_row),
    ]
    cases = [(recipe, rows) for recipe in recipes(seed, "table", "diamond", "network", "twice") for rows in (4, 5)]
    judged(answer, "evaluate_rows", seed, reference, use=_on_rows, cases=cases, oracle=_one_by_one, mistakes=mistakes)
