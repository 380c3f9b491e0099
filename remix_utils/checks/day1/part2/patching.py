"""Other inputs below one node, and along one path: d1.2.15 (resampled) and d1.2.17 (patch_path)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.handed_in import changed, judged
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.checks.own_graphs import TOY, Build, below, like, rebuilt, recipes, the, wiring

MAKE = Build(TOY)

# --- d1.2.15 ----------------------------------------------------------------------------------------------------------


def _resampled(words, function, recipe, name):
    graph = recipe(words)
    inputs = recipe.inputs()
    other = {"x_other": recipe.inputs(again=1)["x"]}
    wires = wiring(graph)
    result = function(graph, name)
    if hasattr(result, "op"):
        _require_images(result, the(graph, "x").shape)
    facts = changed(result, graph, wires, {**inputs, **other}, "resampled")
    # x_other may enter in several ways.
    facts["the names"] = sorted(set(facts["the names"]))
    del facts["the number of nodes shared with the graph before"]
    return facts


def _require_images(graph, size):
    for node in below(graph):
        if node.name == "x_other" and tuple(node.shape) != tuple(size):
            raise Wrong(
                f"x_other has the shape {list(node.shape)}, and x {list(size)}: another input takes the place of x "
                "below the node, and not the place of the node."
            )


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
            "every way to the node leads to the new one now, which is what update does: change it along this path "
            "alone.",
            _every_way,
        ),
        ("a child that is read twice was replaced in both places: go by child number, not by `is`.", _every_reading),
        (
            "a node on the path was written into, so that the graph before has changed: build each node on the path "
            "anew.",
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
