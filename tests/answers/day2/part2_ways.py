"""Answers to d2.2.6 and d2.2.7: a head ablated in some of its uses only."""

from remix_utils import ablate, at, find, patch, replace, split


def out(layer, head):
    return at(f"blocks.{layer}.attn.head.{head}.out")


def apart(graph):
    return split(graph, "blocks.*.attn_out", "head")


# --- d2.2.6 -----------------------------------------------------------------------------------------------------------


def by_replacing(graph, layer, head, how, data=None):
    """The full ablation, and then the old patterns put back in the place of the new ones, the last layer first."""
    clean = apart(graph)
    result = ablate(clean, out(layer, head), how, data)
    old = {node.name: node for node in find(clean, "blocks.*.attn.head.*.pattern")}
    for name in sorted(old, reverse=True):
        if find(result, name, missing="ok"):
            result = patch(result, name, old[name])
    return result


def avoiding_scores(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, head).avoiding("*.scores"), how, data)


def full(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, head), how, data)


def only_patterns(graph, layer, head, how, data=None):
    """Of a head in the last layer there are none."""
    which = at("*.pattern") >> out(layer, head)
    graph = apart(graph)
    return ablate(graph, which, how, data) if find(graph, which, missing="ok") else graph


def directly(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, head).avoiding("*.ln1"), how, data)


def all_heads(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, "*").avoiding("*.pattern"), how, data)


def other_head(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, 1 - head).avoiding("*.pattern"), how, data)


def always_zero(graph, layer, head, how, data=None):
    return ablate(apart(graph), out(layer, head).avoiding("*.pattern"), "zero")


def nothing(graph, *rest):
    return apart(graph)


# --- d2.2.7 -----------------------------------------------------------------------------------------------------------


def reader(side, number="*"):
    return at(f"blocks.1.attn.head.{number}.{side}")


def read_by(which, way=lambda how: how):
    """`which(side, head)` is what is ablated."""

    def as_read_by(graph, side, head, how, data=None):
        return ablate(apart(graph), which(side, head), way(how), data)

    return as_read_by


def by_putting_in(graph, side, head, how, data=None):
    """The readers of the ablated graph, in the place of those of the clean one."""
    clean = apart(graph)
    gone = ablate(clean, out(0, head), how, data)
    old, new = ({node.name: node for node in find(each, reader(side))} for each in (clean, gone))
    return replace(clean, {node: new[name] for name, node in old.items()})


def one_reader_after_another(graph, side, head, how, data=None):
    graph = apart(graph)
    for number in range(2):
        graph = ablate(graph, reader(side, number) >> out(0, head), how, data)
    return graph


WRONG = [
    ("d2.2.6", full, "this is the full ablation"),
    ("d2.2.6", only_patterns, "only the patterns miss the head"),
    ("d2.2.6", directly, "only the direct way to the logits is ablated"),
    ("d2.2.6", all_heads, "the whole layer is ablated"),
    ("d2.2.6", other_head, "another head of the layer"),
    ("d2.2.6", always_zero, "whatever is asked for, zeros are put"),
    ("d2.2.6", nothing, "nothing has changed"),
    ("d2.2.7", read_by(lambda side, head: out(0, head)), "everybody reads the head as ablated"),
    (
        "d2.2.7",
        read_by(lambda side, head: (reader("q") | reader("k") | reader("v")) >> out(0, head)),
        "one side was asked for",
    ),
    (
        "d2.2.7",
        read_by(lambda side, head: reader({"q": "k", "k": "q", "v": "v"}[side]) >> out(0, head)),
        "queries and keys are exchanged",
    ),
    ("d2.2.7", read_by(lambda side, head: reader(side, 0) >> out(0, head)), "only one head of layer 1"),
    ("d2.2.7", read_by(lambda side, head: reader(side) >> out(0, "*")), "the whole layer 0 is ablated"),
    ("d2.2.7", read_by(lambda side, head: reader(side) >> out(0, 1 - head)), "another head of layer 0"),
    ("d2.2.7", read_by(lambda side, head: reader(side) >> out(0, head), lambda how: "zero"), "zeros are put"),
    ("d2.2.7", read_by(lambda side, head: out(0, head) >> reader(side)), "The reader in layer 1 comes first"),
    ("d2.2.7", nothing, "nothing has changed"),
]

RIGHT = [
    ("d2.2.6", by_replacing),
    ("d2.2.6", avoiding_scores),
    ("d2.2.7", by_putting_in),
    ("d2.2.7", one_reader_after_another),
]
