"""Building with what there is, and printing what was built: d1.2.7 and d1.2.8."""

from __future__ import annotations

import re

import torch

from remix_utils.checks.day1.handed_in import judged
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.checks.own_graphs import TOY, Build, ToyNode, ToyOp, below, recipes, value_of

MAKE = Build(TOY)
KINDS = {"placeholder", "array", "add", "relu", "einsum"}


# --- d1.2.7 -----------------------------------------------------------------------------------------------------------


def _difference_of(words, function, left, right):
    make = Build(words)
    nodes = make.x("left", *left.shape), make.x("right", *right.shape)
    graph = function(*nodes, "error")
    if not hasattr(graph, "op"):
        raise Wrong(f"subtract gives a {type(graph).__name__}, expected a node.")
    return {
        "nodes of a new type": sum(node.op.kind not in KINDS for node in below(graph)),
        "the value": value_of(graph, {"left": left, "right": right}),
        "whether it has the name that it was given": graph.name == "error",
    }


def _minus(node, factor=-1.0):
    axes = " ".join(f"axis{i}" for i in range(len(node.shape)))
    return MAKE.einsum(f", {axes} -> {axes}", MAKE.array(factor, "factor"), node, name="minus")


def _negate_and_add(left, right, name):
    return MAKE.add(left, _minus(right), name=name)


class _Subtract(ToyOp):
    """A new operation, where none is needed."""

    def __init__(self):
        super().__init__("subtract")

    def run(self, *arguments):
        return arguments[0] - arguments[1]


@exercise("d1.2.7")
def _(answer, seed, reference):
    numbers = torch.Generator().manual_seed(seed)
    shapes = [((3,), (3,)), ((2, 3), (3,)), ((), ()), ((3,), (2, 3)), ((2, 3, 2), (2, 3, 2))]
    cases = [tuple(torch.randn(size, generator=numbers) for size in pair) for pair in shapes]
    mistakes = [
        ("left and right are exchanged: the second one is taken away.", lambda a, b, name: _negate_and_add(b, a, name)),
        (
            "the right side is taken away twice: it is added once, times -1, and the minus is already in the product.",
            lambda a, b, name: MAKE.add(a, _minus(b), _minus(b), name=name),
        ),
        ("this is the sum: the right side must be multiplied by -1.", lambda a, b, name: MAKE.add(a, b, name=name)),
        ("the left side has changed its sign too: multiply only the right one.", _both_minus),
        (
            "there is a node of a new type: a product with the constant -1 (an Einsum) and an Add are enough.",
            lambda a, b, name: ToyNode(_Subtract(), (a, b), name),
        ),
        ("the value is right, but the result does not have the name that it was given.", _nameless),
    ]
    judged(
        answer,
        "subtract",
        seed,
        reference,
        use=_difference_of,
        cases=cases,
        oracle=_negate_and_add,
        mistakes=mistakes,
    )


def _both_minus(left, right, name):
    return MAKE.add(_minus(left), _minus(right), name=name)


def _nameless(left, right, name):
    return MAKE.add(left, _minus(right), name="difference")


# --- d1.2.8 -----------------------------------------------------------------------------------------------------------

LEAD = re.compile(r"^[\s|│├└┌─╰╭+`\\.:>*-]*")  # blanks, and lines drawn in place of them


def _printed(words, function, recipe):
    graph = recipe(words)
    text = function(graph)
    if not isinstance(text, str | list | tuple):
        raise Wrong(f"tree gives a {type(text).__name__}: return the text, do not print it.")
    lines = [line for line in (text if isinstance(text, str) else "\n".join(text)).splitlines() if line.strip()]
    known = {node.name: node for node in below(graph)}
    found = [_read_line(line, known) for line in lines]
    columns = sorted({column for _, column, _ in found})
    names = [name for name, _, _ in found]
    bare = set(names) - {name for name, _, whole in found if whole}
    if bare:
        raise Wrong(f"the line of {min(bare, key=names.index)!r} lacks the kind of the operation or the shape.")
    return {"line": names, "depth": [columns.index(column) for _, column, _ in found]}


def _read_line(line, known):
    """(the node's name, how far the line is indented, whether kind and shape stand there too)"""
    spots = [(match.start(), -len(name), name) for name in known for match in [_spot(name, line)] if match]
    if not spots:
        raise Wrong(f"the line {line!r} names no node: each line says which node it is about.")
    name = min(spots)[2]
    node = known[name]
    numbers = [int(number) for number in re.findall(r"\d+", line)]
    size = list(node.shape)
    shaped = any(numbers[i : i + len(size)] == size for i in range(len(numbers) + 1))
    return name, len(line) - len(LEAD.sub("", line, count=1)), shaped and node.op.kind in line.lower()


def _spot(name, line):
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line)


def _line(node, depth):
    return f"{'  ' * depth}{node.name}: {node.op.kind} {list(node.shape)}"


def _outline(graph, again=lambda node, depth: [_line(node, depth)], indent=1):
    seen = set()

    def lines(node, depth):
        if id(node) in seen:
            return again(node, depth)
        seen.add(id(node))
        return [_line(node, depth), *(line for child in node.children for line in lines(child, depth + indent))]

    return "\n".join(lines(graph, 0))


def _everything_again(graph):
    def lines(node, depth):
        return [_line(node, depth), *(line for child in node.children for line in lines(child, depth + 1))]

    return "\n".join(lines(graph, 0))


def _upside_down(graph):
    return "\n".join(reversed(_outline(graph).splitlines()))


@exercise("d1.2.8")
def _(answer, seed, reference):
    mistakes = [
        (
            "a node that is read twice is written out twice, with all that is below it: the second time, one line is "
            "enough.",
            _everything_again,
        ),
        (
            "a node that is read twice is shown only at its first reader: the second reader needs a line for it too.",
            lambda graph: _outline(graph, again=lambda node, depth: []),
        ),
        (
            "the lines are not indented: children stand further right than what reads them.",
            lambda g: _outline(g, indent=0),
        ),
        ("the children stand above what reads them: begin with the node itself.", _upside_down),
    ]
    cases = [(recipe,) for recipe in recipes(seed, "diamond", "network", "ladder", "twice")]
    judged(answer, "tree", seed, reference, use=_printed, cases=cases, oracle=_outline, mistakes=mistakes)
