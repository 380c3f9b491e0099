"""Changing graphs: d1.2.12 (update)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.handed_in import changed, judged
from remix_utils.checks.exercise import exercise
from remix_utils.checks.own_graphs import Build, below, like, rebuilt, recipes, the, wiring

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
            "of two targets, one below the other, the lower one is lost: give the function the node with its new "
            "children.",
            _lower_one_lost,
        ),
        ("the nodes above a replaced one have lost their names: pass node.name on.", _names_lost),
    ]
    cases = [(recipe, names, how) for graph, names, how in SPOTS for recipe in recipes(seed, graph)]
    judged(answer, "update", seed, reference, use=_updated, cases=cases, oracle=_bottom_up, mistakes=mistakes)
