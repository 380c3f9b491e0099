"""The calls that other code relies on, each in the form in which it is promised."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from remix_utils import (
    RULES,
    add,
    apply,
    array,
    at,
    concat,
    einsum,
    evaluate,
    explain,
    find,
    find_one,
    index,
    lift,
    paths,
    placeholder,
    plan,
    register,
    replace,
    same_value,
    sample,
    show,
    split,
    update,
)
from remix_utils.errors import MatchError, RemixError
from tests.graph.transformer import tokens, transformer

GRAPH = transformer()
INPUTS = tokens(5)


def test_constructors():
    """Names by keyword or left out; placeholders of float32 unless another dtype is said; words or letters."""
    x, y = placeholder("x", (4, 3)), placeholder("y", (4, 3), dtype=torch.float32)
    w = array(torch.ones(3, 2), name="w")
    assert (x.dtype, x.name, w.name) == (torch.float32, "x", "w")
    assert einsum("seq d, d e -> seq e", x, w, name="xw").key == einsum("sd,de->se", x, w).key
    assert add(x, y, weights=[1, -1], name="difference").shape == add(x, y).shape == (4, 3)
    assert index(x, (1, slice(0, 2)), name="part").shape == (2,) and index(x, (torch.tensor([0, 0]),)).shape == (2, 3)
    assert concat([x, y], 0, name="both").shape == (8, 3)
    assert apply("softmax", x, name="p").name == "p"
    assert apply("layernorm", x, array(torch.ones(3)), array(torch.zeros(3))).shape == (4, 3)
    assert apply("embed", placeholder("tokens", (4,), torch.long), array(torch.ones(9, 3))).shape == (4, 3)
    assert sample(x, torch.tensor([0, 1, 1]), name="drawn").name == "drawn"
    register("halve", lambda x: x / 2, whole=0)
    assert apply("halve", x).shape == (4, 3)


def test_nodes():
    """op, op.kind, children, name, shape, dtype and key; kinds are the eight words."""
    x = placeholder("x", (2,))
    nodes = [
        einsum("i, i ->", x, x),
        add(x, x),
        index(x, 0),
        concat([x, x], 0),
        apply("relu", x),
        sample(x, torch.tensor([0])),
        x,
        array([1.0]),
    ]
    kinds = ["einsum", "add", "index", "concat", "apply", "sample", "placeholder", "array"]
    assert [node.op.kind for node in nodes] == kinds
    for node in nodes:
        assert isinstance(node.name, str) and isinstance(node.children, tuple) and isinstance(node.shape, tuple)
        assert isinstance(node.dtype, torch.dtype) and isinstance(node.key, bytes)


def test_selecting():
    """By glob, operation, predicate and node; combined; in the spelling of TransformerLens; none is an error or not."""
    graph = GRAPH
    assert [node.name for node in find(graph, at("blocks.*.attn.pattern"))] == [
        "blocks.0.attn.pattern",
        "blocks.1.attn.pattern",
    ]
    assert find(graph, at("blocks.*.attn.hook_pattern")) == find(graph, at("blocks.*.attn.pattern"))
    assert len(find(graph, at(op="einsum"))) > 10 and find(graph, at(lambda node: node.name == "logits")) == [graph]
    assert find(graph, at(graph)) == [graph]
    q = at("blocks.1.attn.q")
    assert find(graph, q | at("embed")) and find(graph, q & at(op="einsum")) and find(graph, ~q)
    assert find(graph, q >> at("embed")) and find(graph, (q >> at("embed")).avoiding(at("*_out")))
    assert find(graph, q.child(0))[0].name == "blocks.1.ln1.normalized"
    assert find(graph, at("nothing"), missing="ok") == []
    with pytest.raises(MatchError):
        find(graph, at("nothing"))
    with pytest.raises(MatchError, match="matched 2"):
        find_one(graph, at("*.pattern"))
    assert paths(graph, at("logits") >> at("W_U")) == [(graph, graph.children[1])]
    assert "at('nothing')" in explain(graph, at("nothing"))


def test_rewriting():
    """update, replace, split, RULES, lift and same_value."""
    graph = GRAPH
    embed = find_one(graph, at("embed"))
    doubled = update(graph, at("blocks.0.resid_pre") >> at("embed"), lambda node: add(node, node))
    assert doubled.key == replace(graph, {embed: add(embed, embed)}).key
    heads = split(graph, at("blocks.*.attn_out"), "head")
    grouped = split(graph, at("blocks.0.attn_out"), "head", parts=[[0, 1]])
    positions = split(graph, at("blocks.0.resid_post"), "position")
    assert [node.name for node in find(heads, at("blocks.1.attn.head.*.out"))] == [
        "blocks.1.attn.head.0.out",
        "blocks.1.attn.head.1.out",
    ]
    for same in (heads, grouped, positions, split(graph, at("logits"), "vocab")):
        assert same_value(graph, same)
    different = same_value(graph, doubled)
    assert not different and different.where and isinstance(bool(different), bool)
    assert all(callable(rule) and isinstance(name, str) for name, rule in RULES.items())
    needed = {"distribute", "flatten", "residual", "project", "expand_paths", "fold_layernorm", "lift"}
    assert needed <= set(RULES) and RULES["lift"] is lift
    assert same_value(RULES["fold_layernorm"](graph, at("ln_final.normalized")), graph)
    drawn = apply("relu", sample(placeholder("x", (2,)), torch.tensor([0, 0])))
    assert lift(drawn).op.kind == "sample"


def test_evaluating():
    """A node, a list, a dict; batch_size, memory, executor and grad by keyword; a plan with its figures."""
    graph, pattern = GRAPH, find_one(GRAPH, at("blocks.0.attn.pattern"))
    value = evaluate(graph, INPUTS)
    assert value.shape == (5, 6, 11)
    assert [tensor.shape[0] for tensor in evaluate([graph, pattern], INPUTS)] == [5, 5]
    assert set(evaluate({"logits": graph, "pattern": pattern}, INPUTS)) == {"logits", "pattern"}
    with ThreadPoolExecutor(2) as executor:
        for options in ({"batch_size": 2}, {"memory": 10**6}, {"executor": executor}, {"grad": True}, {"grad": False}):
            torch.testing.assert_close(evaluate(graph, INPUTS, **options), value)
    planned = plan(graph, INPUTS, batch_size=2)
    assert planned.peak_bytes > 0 and planned.flops > 0 and len(planned.stages) == 2
    assert plan([graph, pattern], INPUTS).peak_bytes > 0 and plan({"a": graph}, INPUTS).flops == planned.flops


def test_showing_and_failing():
    """show gives text; every error is a RemixError, a ValueError, with facts as attributes and a fix at the end."""
    assert "logits" in show(GRAPH) and isinstance(show(GRAPH), str)
    with pytest.raises(RemixError) as refusal:
        einsum("a, a ->", placeholder("x", (2,)), placeholder("y", (3,)))
    assert isinstance(refusal.value, ValueError) and {refusal.value.left, refusal.value.right} == {2, 3}
    assert str(refusal.value).splitlines()[-1].startswith("  fix: ")
