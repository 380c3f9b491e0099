"""Answers to d1.2.19, d1.2.20 and the quiz; and those of the whole part, gathered."""

from remix_utils import at, einsum, find_one, path_patch, placeholder, replace, update
from tests.answers.day1 import part2_building, part2_editing, part2_einsum, part2_paths, part2_words
from tests.answers.day1.part2_building import children_first, paired

# --- d1.2.19 ----------------------------------------------------------------------------------------------------------

OTHER = placeholder("x_other", (64,))


def through_the_node(graph):
    """All of skip.product on the other image: its only input is x."""
    return path_patch(graph, "skip.product", {"x": OTHER})


def by_update(graph):
    return update(graph, at("logits").child(1) >> at("x"), lambda x: placeholder("x_other", x.shape))


def by_hand(graph):
    product = einsum("digit pixel, pixel -> digit", find_one(graph, "skip"), OTHER)
    return replace(graph, {find_one(graph, "skip.product"): product})


def under_its_own_name(graph):
    return path_patch(graph, at("skip.product") >> at("x"), {"x": placeholder("x", (64,))})


# --- d1.2.20 ----------------------------------------------------------------------------------------------------------


def own_text(node):
    if node.op.kind == "array":
        return repr((node.op.value.shape, node.op.value.tolist()))
    return node.name if node.op.kind == "placeholder" else node.op.kind + getattr(node.op, "pattern", "")


def key_with(own):
    """A number for each different text, where children enter by their numbers."""
    numbers = {}

    def key(graph):
        known = {}
        for node in children_first(graph):
            text = (node.op.kind, own(node), tuple(known[child] for child in node.children))
            known[node] = numbers.setdefault(text, len(numbers))
        return known[graph]

    return paired(key)


def for_arrays(text):
    return lambda node: text(node.op.value) if node.op.kind == "array" else own_text(node)


def without(kind):
    return lambda node: "" if node.op.kind == kind else own_text(node)


RECALL = {"align": "last", "visits": 8, "rebuilt": 1, "paths": 2, "resample": "x"}

WRONG = [
    *part2_words.WRONG,
    *part2_einsum.WRONG,
    *part2_building.WRONG,
    *part2_editing.WRONG,
    *part2_paths.WRONG,
    ("d1.2.19", lambda graph: path_patch(graph, "x", {"x": OTHER}), "both paths read x_other"),
    ("d1.2.19", lambda graph: path_patch(graph, at("hidden") >> at("x"), {"x": OTHER}), "it is the hidden path"),
    ("d1.2.19", lambda graph: (by_hand(graph), graph)[1], "computes what it did before"),
    ("d1.2.19", under_its_own_name, "computes what it did before"),
    (
        "d1.2.19",
        lambda graph: path_patch(graph, "skip.product", {"x": placeholder("other", (64,))}),
        "not called x_other",
    ),
    ("d1.2.19", lambda graph: path_patch(graph, at("x") >> at("skip.product"), {"x": OTHER}), "matches no path"),
    ("d1.2.19", lambda graph: path_patch(graph, at("skip") >> at("x"), {"x": OTHER}), "matches no path"),
    ("d1.2.20", key_with(lambda node: node.name + own_text(node)), "the name is part of the key"),
    ("d1.2.20", key_with(for_arrays(lambda value: "")), "the numbers in an array are no part"),
    ("d1.2.20", key_with(for_arrays(str)), "short of digits"),
    ("d1.2.20", key_with(for_arrays(lambda value: value.flatten().tolist().__repr__())), "in another shape"),
    ("d1.2.20", key_with(id), "objects are compared"),
    ("d1.2.20", paired(lambda graph: graph), "objects are compared"),
    ("d1.2.20", key_with(without("placeholder")), "two inputs have one key"),
    ("d1.2.20", key_with(without("einsum")), "the pattern of an einsum"),
    ("d1.2.20", paired(own_text), "the children are no part of the key"),
    ("d1.2.quiz", RECALL | {"align": "first"}, "laid side by side"),
    ("d1.2.quiz", RECALL | {"visits": 6}, "doubles the ways down"),
    ("d1.2.quiz", RECALL | {"rebuilt": 10}, "directly or through others"),
    ("d1.2.quiz", RECALL | {"paths": 1}, "Who reads x"),
    ("d1.2.quiz", RECALL | {"resample": "hidden"}, "what does it read instead"),
]

RIGHT = [
    *part2_words.RIGHT,
    *part2_einsum.RIGHT,
    *part2_building.RIGHT,
    *part2_editing.RIGHT,
    *part2_paths.RIGHT,
    ("d1.2.19", through_the_node),
    ("d1.2.19", by_update),
    ("d1.2.19", by_hand),
    ("d1.2.20", key_with(own_text)),
    ("d1.2.quiz", {"align": "the last", "visits": "eight", "rebuilt": "One", "paths": 2.0, "resample": "the input"}),
]
