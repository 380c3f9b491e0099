"""Changing graphs: d1.2.12 (update), d1.2.15 (resampled) and d1.2.17 (patch_path)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.handed_in import judged
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.checks.own_graphs import TOY, Build, below, rebuilt, recipes, value_of, wiring

MAKE = Build(TOY)


def changed(result, before, wires, inputs, name):
    """What became of a graph: its value and size, how much it shares with the graph before, and whether that is whole."""
    if not hasattr(result, "op"):
        raise Wrong(f"{name} gives a {type(result).__name__}, expected the root of the new graph.")
    kept = {id(node) for node in below(before)}
    nodes = below(result)
    return {
        "whether the graph before is as it was": wiring(before) == wires,
        "the value": value_of(result, inputs),
        "the names": sorted(node.name for node in nodes),
        "the number of nodes shared with the graph before": sum(id(node) in kept for node in nodes),
    }


def the(graph, name):
    return next(node for node in below(graph) if node.name == name)


def like(node, children, name=None):
    """The same operation on other children, in the classes that the node came in."""
    return type(node)(node.op, tuple(children), node.name if name is None else name)


# --- d1.2.12 ----------------------------------------------------------------------------------------------------------

SPOTS = [
    ("diamond", ["active"], "wrap"),
    ("diamond", ["both"], "wrap"),
    ("diamond", ["x"], "wrap"),
    ("network", ["hidden"], "zero"),
    ("network", ["hidden", "skip"], "zero"),
    ("network", ["logits"], "wrap"),
    ("ladder", ["stream b", "block d"], "wrap"),
    ("twice", ["active"], "wrap"),
    ("diamond", [], "wrap"),
]


def _updated(words, function, recipe, names, how):
    graph, make = recipe(words), Build(words)
    rules = {
        "wrap": lambda node: make.relu(node, f"wrapped {node.name}"),
        "zero": lambda node: make.array(torch.zeros(node.shape), "zeros"),
    }
    wires = wiring(graph)
    result = function(graph, [the(graph, name) for name in names], rules[how])
    return changed(result, graph, wires, recipe.inputs(), "update")


def _bottom_up(graph, targets, function):
    return rebuilt({"Node": type(graph)}, graph, {id(node): function for node in targets})


def _written_into(graph, targets, function):
    order = below(graph)
    new = {id(node): function(node) for node in targets}
    for node in order:
        object.__setattr__(node, "children", tuple(new.get(id(child), child) for child in node.children))
    return new.get(id(graph), graph)


def _all_new(graph, targets, function):
    done = {}
    for node in below(graph):
        fresh = like(node, [done[id(child)] for child in node.children])
        done[id(node)] = function(fresh) if any(node is each for each in targets) else fresh
    return done[id(graph)]


def _all_but_leaves_new(graph, targets, function):
    done = {}
    for node in below(graph):
        fresh = like(node, [done[id(child)] for child in node.children]) if node.children else node
        done[id(node)] = function(fresh) if any(node is each for each in targets) else fresh
    return done[id(graph)]


def _each_reading_apart(graph, targets, function):
    children = [_each_reading_apart(child, targets, function) for child in graph.children]
    same = all(a is b for a, b in zip(children, graph.children, strict=True))
    fresh = graph if same else like(graph, children)
    return function(fresh) if any(graph is each for each in targets) else fresh


def _into_the_replacement(graph, targets, function):
    if any(graph is each for each in targets):
        return _into_the_replacement(function(graph), targets, function)
    children = [_into_the_replacement(child, targets, function) for child in graph.children]
    same = all(a is b for a, b in zip(children, graph.children, strict=True))
    return graph if same else like(graph, children)


def _lower_one_lost(graph, targets, function):
    done = {}
    for node in below(graph):
        children = [done[id(child)] for child in node.children]
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        hit = any(node is each for each in targets)
        done[id(node)] = function(node) if hit else node if same else like(node, children)
    return done[id(graph)]


def _names_lost(graph, targets, function):
    done = {}
    for node in below(graph):
        children = [done[id(child)] for child in node.children]
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        fresh = node if same else like(node, children, "")
        done[id(node)] = function(fresh) if any(node is each for each in targets) else fresh
    return done[id(graph)]


REBUILT = (
    "the value is right, but nodes that nothing has changed were built anew, so that nothing is shared: "
    "keep a node whose children are all the same objects."
)


@exercise("d1.2.12")
def _(answer, seed, reference):
    mistakes = [
        (
            "the graph before was changed: its nodes were written into. Build new nodes above the replaced ones.",
            _written_into,
        ),
        (REBUILT, _all_new),
        (REBUILT, _all_but_leaves_new),
        (
            "a node that is read twice has become two nodes: remember what each node has turned into.",
            _each_reading_apart,
        ),
        (
            "the replacement was searched too. It holds the old node, which is replaced again, without end: children "
            "first, then the function, and never into what it gives.",
            _into_the_replacement,
        ),
        (
            "of two targets, one below the other, the lower one is lost: give the function the node with its new children.",
            _lower_one_lost,
        ),
        ("the nodes above a replaced one have lost their names: pass node.name on.", _names_lost),
    ]
    cases = [(recipe, names, how) for graph, names, how in SPOTS for recipe in recipes(seed, graph)]
    judged(answer, "update", seed, reference, use=_updated, cases=cases, oracle=_bottom_up, mistakes=mistakes)


# --- d1.2.15 ----------------------------------------------------------------------------------------------------------


def _resampled(words, function, recipe, name):
    graph = recipe(words)
    inputs = recipe.inputs()
    other = {"x_other": recipe.inputs(again=1)["x"]}
    wires = wiring(graph)
    result = function(graph, name)
    facts = changed(result, graph, wires, {**inputs, **other}, "resampled")
    facts["placeholders"] = sorted(node.name for node in below(result) if node.op.kind == "placeholder")
    del facts["the number of nodes shared with the graph before"]  # x_other may enter in several ways
    return facts


def _put(graph, old, new):
    return rebuilt({"Node": type(graph)}, graph, {id(old): lambda node: new})


def _on_other(graph, name):
    other = MAKE.x("x_other", *the(graph, "x").shape)
    return _put(graph, the(graph, name), _put(the(graph, name), the(graph, "x"), other))


def _everything_on_other(graph, name):
    return _put(graph, the(graph, "x"), MAKE.x("x_other", *the(graph, "x").shape))


def _nothing_new(graph, name):
    return _put(the(graph, name), the(graph, "x"), MAKE.x("x_other", *the(graph, "x").shape)) and graph


def _only_the_part(graph, name):
    return _put(the(graph, name), the(graph, "x"), MAKE.x("x_other", *the(graph, "x").shape))


def _all_else(graph, name):
    whole, node = _everything_on_other(graph, name), the(graph, name)
    return _put(whole, the(whole, name), node)


@exercise("d1.2.15")
def _(answer, seed, reference):
    mistakes = [
        (
            "everything reads x_other now: first change x below the one node, then put the changed node in its place.",
            _everything_on_other,
        ),
        (
            "nothing has changed: update gives a new graph, and leaves the old one as it is. Return the new one.",
            _nothing_new,
        ),
        ("this is the node alone, computed from x_other: put it into the graph, and return the graph.", _only_the_part),
        ("the parts are exchanged: the node reads x, and all else reads x_other.", _all_else),
    ]
    spots = [("network", name) for name in ("hidden", "inner", "skip", "logits")]
    spots += [("diamond", "active"), ("diamond", "both"), ("twice", "active"), ("ladder", "block c")]
    cases = [(recipe, name) for graph, name in spots for recipe in recipes(seed, graph)]
    judged(answer, "resampled", seed, reference, use=_resampled, cases=cases, oracle=_on_other, mistakes=mistakes)


# --- d1.2.17 ----------------------------------------------------------------------------------------------------------


def _patched(words, function, recipe, path):
    graph = recipe(words)
    old = _end(graph, path)
    new = Build(words).x("new", *old.shape)
    inputs = {**recipe.inputs(), "new": torch.full(old.shape, 2.5)}
    wires = wiring(graph)
    result = function(graph, path, new)
    return {
        **changed(result, graph, wires, inputs, "patch_path"),
        "the number of ways that still lead to the old node": _ways(result, old),
    }


def _end(graph, path):
    return _end(graph.children[path[0]], path[1:]) if path else graph


def _ways(graph, node):
    return int(graph is node) + sum(_ways(child, node) for child in graph.children)


def _along(graph, path, new):
    above = [graph]
    for step in path[:-1]:
        above.append(above[-1].children[step])
    for node, step in zip(reversed(above), reversed(path), strict=bool(path)):
        new = like(node, [*node.children[:step], new, *node.children[step + 1 :]])
    return new


def _every_way(graph, path, new):
    return _put(graph, _end(graph, path), new)


def _every_reading(graph, path, new):
    if not path:
        return new
    old = graph.children[path[0]]
    fresh = _every_reading(old, path[1:], new)
    return like(graph, [fresh if child is old else child for child in graph.children])


def _written_along(graph, path, new):
    if not path:
        return new
    last = _end(graph, path[:-1])
    children = [*last.children[: path[-1]], new, *last.children[path[-1] + 1 :]]
    object.__setattr__(last, "children", tuple(children))
    return graph


def _cut_off(graph, path, new):
    """Only the last reader is built anew, and nobody reads it."""
    return _along(_end(graph, path[:-1]), path[-1:], new) if path else new


@exercise("d1.2.17")
def _(answer, seed, reference):
    mistakes = [
        (
            "every way to the node leads to the new one now, which is what update does: change it along this path alone.",
            _every_way,
        ),
        ("a child that is read twice was replaced in both places: go by child number, not by `is`.", _every_reading),
        (
            "a node on the path was written into, so that the graph before has changed: build each node on the path anew.",
            _written_along,
        ),
        (
            "only the last reader is built anew: every node on the path, up to the root, needs a new one above it.",
            _cut_off,
        ),
    ]
    spots = [("diamond", (2,)), ("diamond", (0, 0, 0)), ("diamond", (1,)), ("network", (0, 1, 0, 1, 0))]
    spots += [("network", (1, 1)), ("twice", (2,)), ("twice", (0, 0)), ("ladder", (1, 0, 0, 1, 0)), ("network", ())]
    cases = [(recipe, path) for graph, path in spots for recipe in recipes(seed, graph)]
    judged(answer, "patch_path", seed, reference, use=_patched, cases=cases, oracle=_along, mistakes=mistakes)
