"""Answers to d1.2.7 to d1.2.10 and d1.2.14: graphs that are built, printed and evaluated."""

from types import FunctionType

import torch

from tests.answers.day1.part2_words import OURS, Add, Array, Einsum, Node, Placeholder, Relu


def children_first(graph):
    """Each node once, by a stack; written differently from the lesson's."""
    order, stack = [], [graph]
    while stack:
        node = stack[-1]
        waiting = [child for child in node.children if child not in order]
        stack += waiting
        if not waiting:
            stack.pop()
            order += [node] if node not in order else []
    return order


# --- d1.2.7 -----------------------------------------------------------------------------------------------------------


def minus(node):
    """The node times an array of -1 of its own shape."""
    axes = " ".join("abcdef"[: len(node.shape)])
    ones = Node(Array(-torch.ones(node.shape)), (), "minus ones")
    return Node(Einsum(f"{axes}, {axes} -> {axes}"), (node, ones), "minus")


def subtract(left, right, name):
    return Node(Add(), [left, minus(right)], name)


def subtract_for_vectors(left, right, name):
    factor = Node(Array(torch.tensor(-1.0)), (), "-1")
    return Node(Add(), (left, Node(Einsum(", i -> i"), (factor, right), "minus")), name)


class Subtract(Add):
    kind = "subtract"

    def run(self, *values):
        return values[0] - values[1]


def subtract_numbers(left, right, name):
    return left.op.run() - right.op.run()


# --- d1.2.8 -----------------------------------------------------------------------------------------------------------


def tree(graph):
    """With lines drawn, and the kind first."""
    seen = set()

    def lines(node, before):
        if id(node) in seen:
            return [f"{before}({node.name})"]
        seen.add(id(node))
        below = [line for child in node.children for line in lines(child, before + "|  ")]
        return [f"{before}{node.name} is {node.op.kind} of shape {tuple(node.shape)}", *below]

    return lines(graph, "")


def text(node, depth=0, indent="  "):
    """The short recursion that everybody writes first."""
    own = f"{indent * depth}{node.name} {list(node.shape)} {node.op.kind}"
    return "\n".join([own, *(text(child, depth + 1, indent) for child in node.children)])


def tree_that_prints(graph):
    print(text(graph))


def tree_of_nodes(graph, skipped=False, indent="  ", line="{node.name} {node.shape} {node.op.kind}"):
    seen, lines = set(), []

    def write(node, depth):
        if node in seen:
            if not skipped:
                lines.append(indent * depth + node.name)
            return
        seen.add(node)
        lines.append(indent * depth + line.format(node=node))
        for child in node.children:
            write(child, depth + 1)

    write(graph, 0)
    return "\n".join(lines)


# --- d1.2.9 -----------------------------------------------------------------------------------------------------------


def evaluate(graph, inputs):
    """Children first, in a loop."""
    values = {}
    for node in children_first(graph):
        given = [values[id(child)] for child in node.children]
        values[id(node)] = inputs[node.name] if node.op.kind == "placeholder" else node.op.run(*given)
    return values[id(graph)]


def evaluate_again_and_again(graph, inputs):
    if isinstance(graph.op, Placeholder):
        return inputs[graph.name]
    return graph.op.run(*[evaluate_again_and_again(child, inputs) for child in graph.children])


def evaluate_by_name(graph, inputs):
    values = {**inputs}
    for node in children_first(graph):
        if node.name not in values:
            values[node.name] = node.op.run(*[values[child.name] for child in node.children])
    return values[graph.name]


def evaluate_with_default(graph, inputs, values={}):  # noqa: B006 - this is the mistake
    if graph not in values:
        is_input = isinstance(graph.op, Placeholder)
        parts = [evaluate_with_default(child, inputs) for child in graph.children]
        values[graph] = inputs[graph.name] if is_input else graph.op.run(*parts)
    return values[graph]


def evaluate_with_zeros(graph, inputs):
    free = [node for node in children_first(graph) if isinstance(node.op, Placeholder)]
    return evaluate(graph, {node.name: inputs.get(node.name, torch.zeros(node.shape)) for node in free})


def evaluate_in_newer_classes(graph, inputs):
    return evaluate(graph, inputs)


newer = {**globals(), "Relu": type("Relu", (Relu,), {})}
evaluate_in_newer_classes = FunctionType(evaluate_in_newer_classes.__code__, newer)

# --- d1.2.10 ----------------------------------------------------------------------------------------------------------


def network_graph(weights, bias=True, relu=True, skip=True, inputs=1):
    """The weights in other places: transposed patterns, one array after another."""
    size = weights["skip"].shape[-1]
    x = Node(Placeholder((size,)), (), "x")
    other = x if inputs == 1 else Node(Placeholder((size,)), (), "x")
    product = Node(Einsum("i, h i -> h"), (x, Node(Array(weights["inner.weight"]), (), "w")), "product")
    inner = Node(Add(), (Node(Array(weights["inner.bias"]), (), "b"), product) if bias else (product,), "inner")
    hidden = Node(Relu() if relu else Add(), (inner,), "hidden")
    out = Node(Einsum("h, o h -> o"), (hidden, Node(Array(weights["out.weight"]), (), "v")), "out")
    through = Node(Einsum("i, o i -> o"), (other, Node(Array(weights["skip"]), (), "s")), "skip.product")
    if not skip:
        nothing = Node(Array(torch.tensor(0.0)), (), "0")
        through = Node(Einsum(", o -> o"), (nothing, through), "nothing")
    return Node(Add(), (through, out), "logits")


def network_called_otherwise(weights):
    graph = network_graph(weights)
    through, out = graph.children
    return Node(Add(), (Node(through.op, through.children, "skip_product"), out), "logits")


def network_of_the_digits(weights):
    x = Node(Placeholder((64,)), (), "x")
    skip = Node(Einsum("o i, i -> o"), (Node(Array(weights["skip"]), (), "s"), x), "skip.product")
    return Node(Add(), (skip,), "logits")


# --- d1.2.14 ----------------------------------------------------------------------------------------------------------


def evaluate_rows(graph, inputs):
    """Row after row."""
    rows = [dict(zip(inputs, row, strict=True)) for row in zip(*inputs.values(), strict=True)]
    return [evaluate(graph, row).tolist() for row in rows]


def evaluate_first_row(graph, inputs):
    return evaluate(graph, {name: value[0] for name, value in inputs.items()})


def rows_by_their_shapes(graph, inputs):
    """Each operation on rows, if the first axis is as long as the batch."""
    values, rows = {}, len(next(iter(inputs.values())))
    for node in children_first(graph):
        if not node.children:
            values[node] = inputs[node.name] if node.op.kind == "placeholder" else node.op.run()
            continue
        parts = [values[child] for child in node.children]
        dims = tuple(0 if part.ndim and len(part) == rows else None for part in parts)
        values[node] = torch.vmap(node.op.run, in_dims=dims)(*parts) if 0 in dims else node.op.run(*parts)
    return values[graph]


def paired(function):
    return OURS, function


WRONG = [
    ("d1.2.7", subtract, "hand in (ours, subtract)"),
    ("d1.2.7", paired(lambda a, b, name: subtract(b, a, name)), "left and right are exchanged"),
    ("d1.2.7", paired(lambda a, b, name: Node(Add(), (a, minus(b), minus(b)), name)), "taken away twice"),
    ("d1.2.7", paired(lambda a, b, name: Node(Add(), (a, b), name)), "this is the sum"),
    ("d1.2.7", paired(lambda a, b, name: Node(Subtract(), (a, b), name)), "a node of a new type"),
    ("d1.2.7", paired(lambda a, b, name: Node(Add(), (a, minus(b)), "a - b")), "does not have the name"),
    ("d1.2.7", paired(subtract_for_vectors), "it raised ValueError"),
    ("d1.2.7", paired(subtract_numbers), "it raised AttributeError"),
    ("d1.2.7", paired(lambda a, b, name: Node(Add(), (minus(a), minus(b)), name)), "changed its sign too"),
    ("d1.2.8", paired(text), "written out twice"),
    ("d1.2.8", paired(lambda graph: tree_of_nodes(graph, skipped=True)), "only at its first reader"),
    ("d1.2.8", paired(lambda graph: tree_of_nodes(graph, indent="")), "not indented"),
    ("d1.2.8", paired(lambda graph: tree_of_nodes(graph, line="{node.name}")), "lacks the kind of the operation"),
    ("d1.2.8", paired(tree_that_prints), "return the text, do not print it"),
    ("d1.2.8", paired(lambda graph: "\n".join(reversed(tree(graph)))), "children stand above"),
    ("d1.2.9", paired(evaluate_again_and_again), "is computed twice"),
    ("d1.2.9", paired(evaluate_by_name), "remembered by name"),
    ("d1.2.9", paired(evaluate_with_default), "an earlier call are still there"),
    ("d1.2.9", paired(evaluate_with_zeros), "a missing input must be an error"),
    ("d1.2.9", paired(evaluate_in_newer_classes), "Relu was run again after `ours` was made"),
    ("d1.2.10", paired(lambda weights: network_graph(weights, relu=False)), "it is the Relu of inner"),
    ("d1.2.10", paired(lambda weights: network_graph(weights, bias=False)), "inner lacks its bias"),
    ("d1.2.10", paired(lambda weights: network_graph(weights, skip=False)), "the skip is not added"),
    ("d1.2.10", paired(lambda weights: network_graph(weights, inputs=2)), "two placeholders are called x"),
    ("d1.2.10", paired(network_called_otherwise), "no node is called 'skip.product'"),
    ("d1.2.10", paired(network_of_the_digits), "it raised ValueError"),
    ("d1.2.14", paired(evaluate), "as if these were one more axis"),
    ("d1.2.14", paired(rows_by_their_shapes), "a constant was cut into rows"),
    ("d1.2.14", paired(evaluate_first_row), "for the first row alone"),
]

RIGHT = [
    ("d1.2.7", paired(subtract)),
    ("d1.2.8", paired(tree)),
    ("d1.2.9", paired(evaluate)),
    ("d1.2.10", paired(network_graph)),
    ("d1.2.14", paired(evaluate_rows)),
]
