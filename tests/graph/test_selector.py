"""Selectors read paths: on small graphs they select what looking at every path selects."""

import re
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.errors import MatchError, PatternError
from remix_utils.graph.ops import add, apply, array, placeholder
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.select import find, paths
from remix_utils.graph.selector import at, selector
from remix_utils.graph.walk import children_first
from tests.graph.random_paths import all_paths, avoiding, below, name, specs, tangles
from tests.graph.skip_chains import grows_linearly, skip_chain
from tests.graph.transformer import transformer

GRAPH = transformer(layers=2)


@settings(max_examples=400)
@given(tangles(), specs)
def test_selected_paths_are_those_that_looking_at_each_selects(graph, spec):
    """For >>, |, &, ~, avoiding and child, nested in any way: the same paths, each as often, and the same ends."""
    expected = [path for path in all_paths(graph) if spec.holds(path)]
    try:
        found = paths(graph, spec.built)
    except MatchError:
        found = []
    as_text = [sorted(str([id(node) for node in path]) for path in group) for group in (found, bare(expected))]
    assert as_text[0] == as_text[1]
    assert set(find(graph, spec.built, missing="ok")) == {path[-1] for path in bare(expected)}


def bare(expected):
    return [tuple(node for _, node in path) for path in expected]


@settings(max_examples=60)
@given(tangles(), st.sampled_from("abc"), st.sampled_from("abc"), st.sampled_from("abc"))
def test_avoiding_twice_avoids_both(graph, end, first, second):
    """What is avoided adds up, on plain selectors and on legs."""
    for start in (name(end), below(name("a"), name(end))):
        spec = avoiding(start, name(first))
        twice = spec.built.avoiding(second)
        once = start.built.avoiding(at(first) | at(second))
        assert find(graph, twice, missing="ok") == find(graph, once, missing="ok")


@settings(max_examples=150)
@given(tangles(), specs, specs, specs, st.sampled_from("abc"))
def test_parentheses_change_nothing(graph, first, second, third, other):
    """a >> (b >> c) selects the paths of a >> b >> c, whatever the three are, and so it does while avoiding."""
    apart = (first.built >> second.built) >> third.built
    together = first.built >> (second.built >> third.built)
    for one, two in ((apart, together), (apart.avoiding(other), together.avoiding(other))):
        assert routes(graph, one) == routes(graph, two)


def routes(graph, chosen):
    try:
        return sorted([id(node) for node in path] for path in paths(graph, chosen))
    except MatchError:
        return []


@pytest.mark.parametrize(
    "wrap", [lambda s: s & at("x"), lambda s: s | at("y"), lambda s: ~~s, lambda s: s.avoiding("y")]
)
def test_a_leg_below_another_begins_further_down(wrap):
    """In a >> (b >> c), b lies below a, also where the leg stands inside &, |, ~ and avoiding, and a is a b itself."""
    x = placeholder("x", (1,))
    one = apply("relu", x, name="sum")
    two = apply("relu", one, name="sum")
    leg = wrap(at("sum") >> "x")
    assert find(one, at("sum") >> leg, missing="ok") == [] and find(two, at("sum") >> leg) == [x]
    assert find(one, leg) == [x]


def test_a_child_of_a_leg_and_a_leg_that_avoids_begin_further_down():
    """So does b in a >> (b >> c).child(i), and in a >> ((b >> c) & d).avoiding(e)."""
    x = placeholder("x", (1,))
    chain = [x]
    for _ in range(3):
        chain.append(apply("relu", chain[-1], name="sum"))
    child = at("sum") >> (at("sum") >> "sum").child(0)
    assert find(chain[2], child, missing="ok") == [] and find(chain[3], child) == [x]
    avoiding_y = at("sum") >> ((at("sum") >> "x") & at("x")).avoiding("y")
    assert find(chain[1], avoiding_y, missing="ok") == [] and find(chain[2], avoiding_y) == [x]


def test_each_alternative_has_its_own_last_leg():
    """What (a >> ((b >> c) | d)).avoiding(e) forbids lies between b and c, and between a and d."""
    c, d = placeholder("c", (1,)), placeholder("d", (1,))
    above = apply("relu", apply("relu", apply("relu", c, name="b"), name="e"), name="a")
    between = apply("relu", apply("relu", apply("relu", c, name="e"), name="b"), name="a")
    either = at("a") >> ((at("b") >> "c") | at("d"))
    assert find(above, either.avoiding("e")) == [c] and find(between, either.avoiding("e"), missing="ok") == []
    assert find(apply("relu", apply("relu", d, name="e"), name="a"), either.avoiding("e"), missing="ok") == []
    assert find(between, either) == [c] and find(apply("relu", d, name="a"), either.avoiding("e")) == [d]


def test_a_glob_selects_by_name():
    """Stars and question marks stand for parts of names, and a star crosses dots."""
    names = [f"blocks.{layer}.attn.pattern" for layer in range(2)]
    assert [node.name for node in find(GRAPH, at("blocks.*.attn.pattern"))] == names
    assert find(GRAPH, "blocks.?.attn.pattern") == find(GRAPH, "*pattern") == find(GRAPH, at("blocks.[01]*.pattern"))
    assert find(GRAPH, "blocks.1*", missing="ok") and not find(GRAPH, "BLOCKS.1*", missing="ok")


INDICES = ["0", "12", "-1", "0:5", ":3", "::2", "::-1", "1:", ":, 2", "0, 1:3", "..., 0", "1,2", "[0, 2]", "[0, 2], :"]


@pytest.mark.parametrize("written", INDICES)
@pytest.mark.parametrize("front", ["", "blocks.1.attn."])
def test_a_name_with_brackets_is_found_by_writing_it(written, front):
    """An index in a name stands for itself, alone and after a star, and finds nothing but names that hold it."""
    wanted, whole = array([1.0], f"{front}v[{written}]"), array([1.0], f"{front}v")
    others = [array([1.0], f"{front}v{letter}") for letter in "05:,-. "]
    graph = add(wanted, whole, *others, name="top")
    assert find(graph, wanted.name) == find(graph, at(wanted.name)) == [wanted]
    if "[" not in written:
        assert find(graph, f"*v[{written}]") == [wanted]
    assert find(graph, f"{front}v") == [whole] and wanted in find(graph, f"{front}v*")


def test_other_brackets_are_a_class_of_characters():
    """Layers may be listed in brackets, in the middle of a name and with more than one at its end."""
    nodes = [array([1.0], f"blocks.{layer}{end}") for layer in range(4) for end in ("", ".attn")]
    graph = add(*nodes, name="top")
    for pattern, layers in (("[12]", "12"), ("[1]", "1"), ("[0-2]", "012"), ("[!0]", "123"), ("[3]", "3")):
        found = [node.name for node in find(graph, f"blocks.{pattern}.attn")]
        assert found == [f"blocks.{layer}.attn" for layer in layers]
    assert [node.name for node in find(graph, "blocks.[01]")] == ["blocks.0", "blocks.1"]
    assert find(graph, "blocks.[1]", missing="ok") == []  # the index of a node that is named blocks.


@pytest.mark.parametrize("odd", ["v[", "v]", "v[]", "v[[]", "a*b", "v[z-a]", "v[!", "hook_x", "v[0][1]", "\\d", "(x)"])
def test_every_name_that_is_written_out_is_found(odd):
    """Whatever characters a name has, it matches itself."""
    graph = add(array([1.0], odd), array([1.0], "other"), name="top")
    assert [node.name for node in find(graph, odd)] == [odd]


@pytest.mark.parametrize(
    "hooked, name",
    [
        ("blocks.0.attn.hook_pattern", "blocks.0.attn.pattern"),
        ("blocks.*.hook_resid_post", "blocks.*.resid_post"),
        ("hook_embed", "embed"),
        ("ln_final.hook_normalized", "ln_final.normalized"),
        ("blocks.1.hook_attn_out", "blocks.1.attn_out"),
    ],
)
def test_the_spelling_of_transformerlens_means_the_same_node(hooked, name):
    """`hook_` in front of a name's last part is left out."""
    assert find(GRAPH, at(hooked)) == find(GRAPH, at(name))


def test_operations_predicates_and_nodes_are_selected():
    """By kind, by any test of a node, by identity; a name and a kind together mean both."""
    assert {node.op.kind for node in find(GRAPH, at(op="einsum"))} == {"einsum"}
    wide = find(GRAPH, at(lambda node: node.shape == (6, 11)))
    assert [node.name for node in wide] == ["logits"]
    first, second = array([1.0], "twin"), array([1.0], "twin")
    assert find(add(first, second), at(second)) == [second]
    assert find(GRAPH, at("blocks.0.*", op="apply")) == find(GRAPH, at("blocks.0.*") & at(op="apply"))


def test_whatever_find_takes_operators_take():
    """Names, predicates and nodes need no `at` on the right of an operator."""
    node = find(GRAPH, "embed")[0]
    chosen = at("blocks.1.attn.q")
    assert find(GRAPH, chosen >> "embed") == find(GRAPH, chosen >> node) == find(GRAPH, chosen >> at("embed"))
    assert find(GRAPH, chosen | "logits") == find(GRAPH, at("logits") | chosen)


def test_a_name_claims_every_path_to_it_unless_told_otherwise():
    """ "Queries from the embeddings" by name holds the paths through layer 0's heads too; avoiding its outputs leaves
    those along the residual stream (trap 2)."""
    query = at("blocks.1.attn.q") >> "embed"
    every = paths(GRAPH, query)
    direct = paths(GRAPH, query.avoiding("*_out"))
    through_heads = paths(GRAPH, at("blocks.1.attn.q") >> at("blocks.0.attn_out") >> "embed")
    assert len(every) > len(direct) and len(through_heads) > 0
    for path in direct:
        names = [node.name for node in path]
        assert not any(name.endswith("_out") for name in names[names.index("blocks.1.attn.q") :])


def test_both_ends_of_what_is_avoided_may_be_avoided_nodes():
    """From one sum to another without a third between: the two ends are sums themselves."""
    x = placeholder("x", (1,))
    lower = add(x, x, name="lower")
    middle = add(lower, lower, name="middle")
    graph = add(middle, apply("relu", lower, name="side"), name="top")
    found = paths(graph, (at("top") >> "lower").avoiding(at(op="add")))
    assert [[node.name for node in path] for path in found] == [["top", "side", "lower"]]


def test_child_is_one_edge_further():
    """Through the slot that is named, and through no other."""
    x, y = array([1.0], "x"), array([2.0], "y")
    graph = add(x, y, x, name="top")
    assert find(graph, at("top").child(1)) == [y] and len(paths(graph, at("top").child(0))) == 1
    assert len(paths(graph, at("x"))) == 2 and find(graph, at("top").child(5), missing="ok") == []


def test_the_root_is_selected_but_not_below_itself():
    """`a >> a` needs two of them, one below the other."""
    x = array([1.0], "a")
    assert find(x, "a") == [x] and find(x, at("a") >> "a", missing="ok") == []
    assert find(apply("relu", x, name="a"), at("a") >> "a") == [x]


def test_what_is_no_selector_is_refused():
    """Numbers select nothing, and neither does nothing."""
    for wrong in (3, None, ["x"]):
        with pytest.raises(PatternError, match="fix: "):
            selector(wrong)
    with pytest.raises(PatternError, match="selects nothing"):
        at()


def test_a_selector_reads_as_it_is_written():
    """Its text shows how it was combined."""
    chosen = (at("a") >> at(op="add")).avoiding("c") & ~at("b") | at("d").child(0)
    assert repr(chosen) == "(((at('a') >> at(op='add')).avoiding(at('c')) & ~at('b')) | at('d').child(0))"


def test_finding_in_a_chain_of_skips_is_linear():
    """Selectors visit each node once in each of their states, not once for each path (trap 1)."""
    chosen = (at("*.post") >> at("*.pre") >> "x").avoiding("3.post") & ~at("y") | at("5.post").child(0)
    assert grows_linearly(lambda layers: partial(find, skip_chain(layers), chosen))


def test_a_set_of_names_is_one_selector():
    """It selects the nodes of these names, wherever they are; the spelling with hook_ means the same."""
    graph = transformer(layers=2)
    names = {"blocks.0.attn.hook_pattern", "blocks.1.attn.q", "embed"}
    one_by_one = find(graph, at("blocks.0.attn.pattern") | at("blocks.1.attn.q") | at("embed"))
    assert find(graph, at(names)) == find(graph, names) == one_by_one
    assert len(paths(graph, at("logits") >> at(names))) == len(paths(graph, names))
    assert [node.name for node in find(graph, at("blocks.1.*") & at(frozenset(names)))] == ["blocks.1.attn.q"]


def test_every_name_of_a_set_must_be_there():
    """Otherwise part of an experiment would be left out without a word; missing='ok' allows it."""
    graph = transformer(layers=2)
    wrong = {"embed", "blocks.1.attn.pattern", "blocks.2.attn.pattern"}
    for search in (find, paths, lambda graph, which: update(graph, which, lambda node: node)):
        for which in (at(wrong), at("logits") >> at(wrong), at(wrong).avoiding("embed")):
            with pytest.raises(MatchError, match=r"1 of 3 names are no nodes below 'logits': 'blocks\.2"):
                search(graph, which)
    assert len(find(graph, wrong, missing="ok")) == 2
    for none in (set(), {1, "embed"}):
        with pytest.raises(PatternError):
            find(graph, none)


@pytest.mark.parametrize(
    "way",
    [
        lambda queries, sender, held: sender.avoiding(held),
        lambda queries, sender, held: queries >> sender.avoiding(held),
        lambda queries, sender, held: (queries >> sender).avoiding(held),
    ],
    ids=["direct", "to queries", "to queries, avoiding all"],
)
def test_an_edit_along_paths_asks_once_an_edge_and_nothing_below_what_is_avoided(way):
    """However many heads there are, those that the paths pass by cost one question for each use of their output."""
    graph = split(transformer(layers=6, heads=4), "blocks.*.attn_out", "head")
    asked = Counter()

    def held(node):
        asked[node] += 1
        return node.name.endswith((".out", ".mlp_out"))

    chosen = way(at("blocks.5.attn.head.[01].q"), at("blocks.1.attn.head.2.out"), at(held))
    edited = update(graph, chosen, lambda node: add(node, node, name="changed"))
    assert find(edited, "changed")
    uses = Counter(child for node in children_first(graph) for child in node.children)
    assert [node for node, times in asked.items() if times > uses[node] and node is not graph] == []
    inside = re.compile(r"blocks\.[0-4]\.(attn\.head\.\d\.(q|pattern|z)|mlp\.post)")
    assert {node.name for node in asked if inside.fullmatch(node.name)} <= {"blocks.1.attn.head.2.z"}
