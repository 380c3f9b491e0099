"""Every mistake that can be made with a graph: what one did, the error it must get, and what the error must say."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

from remix_utils.errors import (
    BoundsError,
    DtypeError,
    FunctionError,
    InputError,
    MatchError,
    MemoryLimitError,
    NanError,
    NodeError,
    PatternError,
    RewriteError,
    SampleError,
    ShapeError,
)
from remix_utils.graph.broadcast import broadcast_to
from remix_utils.graph.equality import same_value
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.expand import expand_paths
from remix_utils.graph.functions import register
from remix_utils.graph.layernorm import expand_layernorm, fold_layernorm
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, bound, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace, split, update
from remix_utils.graph.rules import distribute, flatten, lift, project, push_index, residual
from remix_utils.graph.select import find, find_one, paths
from remix_utils.graph.selector import at
from tests.refusals import Mistake

NAN = float("nan")
x, y = placeholder("x", (3,)), placeholder("y", (4,))
q, k = placeholder("q", (12, 64)), placeholder("k", (12, 32))
tokens = placeholder("tokens", (5,), torch.long)
whole = placeholder("whole", (3,), torch.long)
table = array(torch.ones(9, 3), "table")
one = array(torch.ones(3), "one")
hidden = apply("relu", x, name="hidden")
graph = add(hidden, x, name="sum")
drawn = sample(x, torch.tensor([0, 7]), name="drawn")
norm = apply("layernorm", x, one, one, name="ln")
attends = apply("softmax", apply("embed", tokens, table), name="attends")
ROWS = torch.ones(2, 3)


def cycle() -> Node:
    """A node that was made its own child by force; nobody else holds it."""
    first = add(x, name="first")
    object.__setattr__(first, "children", (add(first, x, name="second"),))
    return first


def doubled(times: int) -> Node:
    """A chain in which every step has two ways down."""
    node = x
    for step in range(times):
        node = add(node, node, name=f"twice.{step}")
    return node


def mutated() -> Node:
    weights = array(torch.ones(3), "weights")
    weights.op.buffer.tensor.add_(1)
    return weights


def grown(node: Node) -> Node:
    """A node with a leaf that has more axes than einsum has letters."""
    wide = placeholder("wide", (1,) * 60)
    words = " ".join(f"w{number}" for number in range(60))
    return einsum(f"{words} ->", wide, name=node.name)


BUILDING: dict[str, Mistake] = {
    "an einsum pattern without an arrow": Mistake(PatternError, ("'seq d'", "->"), lambda: einsum("seq d", q)),
    "a character that is no axis": Mistake(PatternError, ("'...'",), lambda: einsum("... d -> d", q)),
    "more nodes than operands": Mistake(PatternError, ("1 operand", "2 nodes"), lambda: einsum("i ->", x, x)),
    "an output axis out of nowhere": Mistake(PatternError, ("'k'",), lambda: einsum("i -> k", x)),
    "an output axis twice": Mistake(PatternError, ("'i'", "2 times"), lambda: einsum("i -> i i", x)),
    "too few axes in a pattern": Mistake(
        ShapeError, ("'q'", "[12, 64]", "has 2 axes", "gives it 1"), lambda: einsum("seq ->", q, name="total")
    ),
    "one word for two sizes": Mistake(
        ShapeError,
        ("Einsum 'scores'", "'h'", "64 in 'q'", "32 in 'k'"),
        lambda: einsum("query h, key h -> query key", q, k, name="scores"),
    ),
    "more axes than letters": Mistake(PatternError, ("60 axes", "51"), lambda: grown(x).key),
    "an einsum of nothing": Mistake(PatternError, ("1 operand", "0 nodes"), lambda: einsum("->")),
    "an add of nothing": Mistake(NodeError, ("Add 'none'",), lambda: add(name="none")),
    "shapes that do not broadcast": Mistake(
        ShapeError, ("Add 'sum'", "'x' [3]", "'y' [4]"), lambda: add(x, y, name="sum")
    ),
    "a weight too few": Mistake(ShapeError, ("1 weight", "2 nodes"), lambda: add(x, x, weights=[1], name="sum")),
    "half of a whole number": Mistake(DtypeError, ("[0.5]", "int64"), lambda: add(tokens, weights=[0.5])),
    "two dtypes in one sum": Mistake(
        DtypeError, ("'x' is torch.float32", "'whole' is torch.int64"), lambda: add(x, whole)
    ),
    "a tensor where a node is needed": Mistake(NodeError, ("Add 'sum'", "Tensor"), lambda: add(ROWS, name="sum")),
    "a tensor as a child": Mistake(NodeError, ("Tensor", "'sum'"), lambda: Node(graph.op, (x, ROWS), "sum")),
    "a text as numbers": Mistake(NodeError, ("'weights'", "str"), lambda: array("text", "weights")),
    "a shape that is no shape": Mistake(ShapeError, ("'x'", "-1"), lambda: placeholder("x", (3, -1))),
    "a dtype that is not torch's": Mistake(DtypeError, ("'x'", "float"), lambda: placeholder("x", (3,), float)),
    "a change to a node": Mistake(NodeError, ("Apply 'hidden'",), lambda: setattr(hidden, "name", "other")),
    "joined along an axis that is not there": Mistake(
        BoundsError, ("Concat 'both'", "axis 2 of 1"), lambda: concat([x, x], 2, name="both")
    ),
    "joined without an axis": Mistake(BoundsError, ("0 axes",), lambda: concat([array(1.0), array(2.0)], 0)),
    "joined with other axes that differ": Mistake(
        ShapeError, ("Concat 'both'", "'q' [12, 64]", "'k' [12, 32]"), lambda: concat([q, k], 0, name="both")
    ),
    "a function that is not in the table": Mistake(
        FunctionError, ("'rleu'", "'relu'"), lambda: apply("rleu", x, name="hidden")
    ),
    "a function itself instead of its name": Mistake(FunctionError, ("1.0",), lambda: apply(1.0, x)),
    "a function that refuses its children": Mistake(
        FunctionError, ("Apply 'embed'", "'x' [3]"), lambda: apply("embed", x, table, name="embed")
    ),
    "a function that gives no tensor": Mistake(FunctionError, ("'count'", "int"), lambda: _registered(len)),
    "a function that cannot be called": Mistake(FunctionError, ("'cube'",), lambda: register("cube", 3)),
    "a negative number of axes": Mistake(FunctionError, ("'cube'", "-1"), lambda: register("cube", abs, whole=-1)),
    "rows that are no whole numbers": Mistake(
        DtypeError, ("Sample 'x'", "float32", "[1]"), lambda: sample(x, torch.ones(1))
    ),
    "no rows drawn": Mistake(BoundsError, ("Sample 'x'", "0 rows"), lambda: sample(x, torch.arange(0))),
    "a negative row": Mistake(BoundsError, ("Sample 'x'", "-2"), lambda: sample(x, torch.tensor([1, -2]))),
    "drawn twice": Mistake(SampleError, ("'again'", "'drawn'"), lambda: sample(drawn, torch.arange(2), name="again")),
    "drawn and plain rows in one node": Mistake(
        SampleError, ("Add 'mixed'", "'drawn' has 2 drawn rows", "'x' has"), lambda: add(drawn, x, name="mixed")
    ),
    "too many indices": Mistake(PatternError, ("Index 'x'", "2 indices", "1 axis"), lambda: index(x, (0, 0))),
    "an index past the end": Mistake(BoundsError, ("Index 'x'", "index 3", "axis 0", "3 entries"), lambda: index(x, 3)),
    "an index into nothing": Mistake(
        BoundsError, ("Index 'none'", "index 0", "0 entries"), lambda: index(placeholder("none", (0,)), 0)
    ),
    "picked rows past the end": Mistake(
        BoundsError, ("index -4", "3 entries"), lambda: index(x, torch.tensor([0, -4]))
    ),
    "a slice past the end": Mistake(BoundsError, ("bound 4", "3 entries"), lambda: index(x, slice(0, 4))),
    "a slice that stands still": Mistake(PatternError, ("step 0",), lambda: index(x, slice(0, 3, 0))),
    "a truth value as an index": Mistake(PatternError, ("axis 0", "True"), lambda: index(x, True)),
    "a mask as an index": Mistake(DtypeError, ("axis 0", "bool"), lambda: index(x, torch.tensor([True, False, True]))),
    "a text as an index": Mistake(PatternError, ("axis 0", "'all'"), lambda: index(x, "all")),
    "a table as an index": Mistake(PatternError, ("axis 0", "2 axes"), lambda: index(x, torch.tensor([[0, 1]]))),
    "an index moved onto another shape": Mistake(
        PatternError, ("'part'", "1 index", "2 axes"), lambda: Node(index(x, 2).op, (q,), "part")
    ),
}


def _registered(function: Callable) -> Node:
    register("count", function)
    return apply("count", x, name="count")


FINDING: dict[str, Mistake] = {
    "a selector of nothing": Mistake(PatternError, ("at()",), lambda: at()),
    "a number as a selector": Mistake(PatternError, ("int",), lambda: find(graph, 3)),
    "a name that nothing has": Mistake(MatchError, ("'hiden'", "'hidden'", "'sum'"), lambda: find(graph, "hiden")),
    "a name for one that two have": Mistake(MatchError, ("matched 3", "expected 1"), lambda: find_one(graph, "*")),
    "more paths than one can look at": Mistake(
        MatchError, ("at('x')", "100 paths"), lambda: paths(doubled(20), "x", most=100)
    ),
    "a set with a name that nothing has": Mistake(
        MatchError, ("1 of 2 names", "'hiden'", "'hidden'"), lambda: find(graph, {"hiden", "x"})
    ),
    "paths to nothing": Mistake(MatchError, ("'y'", "'x'"), lambda: paths(graph, "y")),
    "a path that is not there": Mistake(MatchError, ("at('x') >> at('sum')",), lambda: find(graph, at("x") >> "sum")),
    "an update of nothing": Mistake(MatchError, ("'y'",), lambda: update(graph, at("sum") >> "y", lambda node: node)),
    "an update that gives no node": Mistake(
        NodeError, ("Apply 'hidden'", "None"), lambda: update(graph, "hidden", lambda node: None)
    ),
    "a cycle that is walked": Mistake(NodeError, ("'first'", "cycle"), lambda: find(cycle(), "x")),
    "a cycle that is evaluated": Mistake(
        NodeError, ("'first'", "cycle"), lambda: evaluate(cycle(), {"x": torch.ones(3)})
    ),
}

REWRITING: dict[str, Mistake] = {
    "a name where replace needs a node": Mistake(NodeError, ("str",), lambda: replace(graph, {"x": hidden})),
    "a node of another graph": Mistake(MatchError, ("Placeholder 'y'", "'sum'"), lambda: replace(graph, {y: x})),
    "a split along an axis that is not there": Mistake(
        RewriteError, ("Apply 'hidden' [3]", "'head'"), lambda: split(graph, "hidden", "head")
    ),
    "a split that leaves something out": Mistake(
        RewriteError, ("Apply 'hidden'", "[[0, 1]]", "3 entries"), lambda: split(graph, "hidden", 0, [[0, 1]])
    ),
    "parts that are a number": Mistake(
        RewriteError, ("parts=2", "parts=[0, [1, 2]]"), lambda: split(graph, "hidden", 0, 2)
    ),
    "parts that are not whole": Mistake(
        RewriteError, ("[0, 1.5]", "whole numbers"), lambda: split(graph, "hidden", 0, [[0, 1.5], [2]])
    ),
    "broadcasting to another shape": Mistake(ShapeError, ("'x' [3]", "[3, 2]"), lambda: broadcast_to(x, (3, 2))),
    "distributing over no sum": Mistake(RewriteError, ("distribute", "'hidden'"), lambda: distribute(graph, "hidden")),
    "flattening a sum without sums": Mistake(RewriteError, ("flatten", "'sum'"), lambda: flatten(graph, "sum")),
    "an estimate of another shape": Mistake(
        ShapeError, ("Placeholder 'y' [4]", "Apply 'hidden' [3]"), lambda: residual(graph, "hidden", y)
    ),
    "a direction of another length": Mistake(
        ShapeError, ("[1, 4]", "Apply 'hidden' [3]"), lambda: project(graph, "hidden", torch.ones(4))
    ),
    "a direction of length zero": Mistake(
        RewriteError, ("Apply 'hidden'", "zero"), lambda: project(graph, "hidden", torch.zeros(3))
    ),
    "opening what is no layernorm": Mistake(
        RewriteError, ("expand_layernorm", "'hidden'"), lambda: expand_layernorm(graph, "hidden")
    ),
    "folding what is no layernorm": Mistake(
        RewriteError, ("fold_layernorm", "'hidden'"), lambda: fold_layernorm(graph, "hidden")
    ),
    "folding a layernorm that nothing reads": Mistake(RewriteError, ("'ln'",), lambda: fold_layernorm(norm, "ln")),
    "folding into what is no product": Mistake(
        RewriteError, ("'after'", "'ln'"), lambda: fold_layernorm(apply("relu", norm, name="after"), "ln")
    ),
    "folding into a product that varies": Mistake(
        RewriteError, ("'after'", "'i'"), lambda: fold_layernorm(einsum("i, i ->", norm, x, name="after"), "ln")
    ),
    "pushing what is no index": Mistake(RewriteError, ("push_index", "'hidden'"), lambda: push_index(graph, "hidden")),
    "pushing an index below a softmax": Mistake(
        RewriteError,
        ("Index 'first'", "Apply 'pattern' [3]"),
        lambda: push_index(index(apply("softmax", x, name="pattern"), 0, name="first"), "first"),
    ),
    "lifting a graph without samples": Mistake(RewriteError, ("'sum'",), lambda: lift(graph)),
    "expanding too many paths": Mistake(
        RewriteError, ("'twice.19'", "1,048,576", "10,000"), lambda: expand_paths(doubled(20), "twice.19")
    ),
    "expanding the only path": Mistake(RewriteError, ("'hidden'", "one path"), lambda: expand_paths(graph, "hidden")),
    "comparing two shapes": Mistake(ShapeError, ("'x' [3]", "'y' [4]"), lambda: same_value(x, y)),
    "comparing drawn rows with plain ones": Mistake(SampleError, ("'x'", "2 drawn rows"), lambda: same_value(x, drawn)),
}

EVALUATING: dict[str, Mistake] = {
    "a fixed tensor that was written to": Mistake(NodeError, ("[3]", "in place"), lambda: evaluate(mutated())),
    "a text instead of a node": Mistake(NodeError, ("str",), lambda: evaluate("sum")),
    "an input that is not bound": Mistake(InputError, ("'x'", "'y'"), lambda: evaluate(graph, {"y": ROWS})),
    "a list instead of a tensor": Mistake(InputError, ("'x'", "list"), lambda: evaluate(graph, {"x": [1.0, 2.0, 3.0]})),
    "an input of another dtype": Mistake(
        DtypeError, ("'x'", "float64", "float32"), lambda: evaluate(graph, {"x": ROWS.double()})
    ),
    "an input of another shape": Mistake(
        ShapeError, ("'x'", "[2, 4]", "[3]"), lambda: evaluate(graph, {"x": torch.ones(2, 4)})
    ),
    "an input without rows": Mistake(
        InputError, ("'x'", "0 rows", "[0, 3]"), lambda: evaluate(graph, {"x": torch.ones(0, 3)})
    ),
    "an input with NaN": Mistake(
        NanError, ("'x'", "[1, 2]"), lambda: evaluate(graph, {"x": torch.tensor([[1, 2, 3], [4, 5, NAN]])})
    ),
    "a mask that is not read": Mistake(
        InputError,
        ("1 of 2 rows", "mask=True"),
        lambda: evaluate(attends, {"tokens": torch.ones(2, 5).long(), "mask": torch.ones(2, 5).tril(3) > 0}),
    ),
    "inputs of unequal length": Mistake(
        InputError, ("'y'", "[3]", "[2]"), lambda: evaluate([x, y], {"x": ROWS, "y": torch.ones(3, 4)})
    ),
    "rows that an experiment brought, too few": Mistake(
        InputError,
        ("'own'", "2 rows", "have 3"),
        lambda: evaluate(add(bound(x, ROWS, "own"), x), {"x": torch.ones(3, 3)}),
    ),
    "NaN that an experiment brought": Mistake(
        NanError, ("'own'", "[0, 0]"), lambda: evaluate(bound(x, ROWS * NAN, "own"))
    ),
    "rows drawn from a larger population": Mistake(
        BoundsError, ("Sample 'drawn'", "row 7", "2 rows"), lambda: evaluate(drawn, {"x": ROWS})
    ),
    "no row at a time": Mistake(InputError, ("batch_size", "0"), lambda: evaluate(graph, {"x": ROWS}, batch_size=0)),
    "less memory than a row needs": Mistake(
        MemoryLimitError, ("limit is 10 ", "48"), lambda: evaluate(graph, {"x": ROWS}, memory=10)
    ),
    "gradients through an executor": Mistake(
        InputError, ("Gradients",), lambda: evaluate(graph, {"x": ROWS}, grad=True, executor=ThreadPoolExecutor(1))
    ),
    "a fixed tensor with NaN": Mistake(
        NanError, ("Array 'bias' [3]", "[1]"), lambda: evaluate(array([1.0, NAN, 2.0], "bias"))
    ),
    "NaN born on the way": Mistake(
        NanError,
        ("Apply 'log' [3]", "1 of 6", "[1, 0]", "-1 to 1"),
        lambda: evaluate(apply("log", x), {"x": torch.tensor([[1.0, 1, 1], [-1, 1, 1]])}),
    ),
    "a token outside the table": Mistake(
        FunctionError,
        ("Apply 'embed' [5, 3]", "9"),
        lambda: evaluate(apply("embed", tokens, table), {"tokens": torch.tensor([[0, 1, 2, 3, 9]])}),
    ),
}

MISTAKES = BUILDING | FINDING | REWRITING | EVALUATING
