"""Answers to d1.2.11 to d1.2.13: nodes found, replaced and shared."""

from tests.answers.day1.part2_building import children_first, paired
from tests.answers.day1.part2_words import Node

# --- d1.2.11 ----------------------------------------------------------------------------------------------------------


def fits(node, wanted):
    if isinstance(wanted, str):
        return node.name == wanted
    return isinstance(node.op, wanted) if isinstance(wanted, type) else wanted(node)


def find(graph, wanted):
    """A set, found from the root down."""
    seen, stack = set(), [graph]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += node.children
    found = {node for node in seen if fits(node, wanted)}
    if not found:
        raise KeyError(wanted)
    return found


def find_readings(graph, wanted):
    found = [graph] if fits(graph, wanted) else []
    for child in graph.children:
        found += find_readings(child, wanted)
    return found


def found_or_error(function):
    def search(graph, wanted):
        found = function(graph, wanted)
        if not found:
            raise LookupError(wanted)
        return found

    return search


def find_parts_of_names(graph, wanted):
    test = (lambda node: wanted in node.name) if isinstance(wanted, str) else lambda node: fits(node, wanted)
    return [node for node in children_first(graph) if test(node)]


def find_uppermost(graph, wanted):
    found, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        if fits(node, wanted):
            found.append(node)
        else:
            list(map(visit, node.children))

    visit(graph)
    return found


def find_silently(graph, wanted):
    return [node for node in children_first(graph) if fits(node, wanted)]


def find_by_calling(graph, wanted):
    test = wanted if callable(wanted) else lambda node: node.name == wanted
    return [node for node in children_first(graph) if test(node)]


def find_names(graph, wanted):
    return [node.name for node in find_silently(graph, wanted)]


# --- d1.2.12 ----------------------------------------------------------------------------------------------------------


def update(graph, targets, function):
    """From the root down, with a memory; whoever has no new child stays."""
    known = {}

    def new(node):
        if id(node) not in known:
            children = list(map(new, node.children))
            if any(a is not b for a, b in zip(children, node.children, strict=True)):
                fresh = Node(node.op, children, node.name)
            else:
                fresh = node
            known[id(node)] = function(fresh) if any(node is target for target in targets) else fresh
        return known[id(node)]

    return new(graph)


def update_in_place(graph, targets, function):
    new = {node: function(node) for node in targets}
    for node in children_first(graph):
        node.children = tuple(new.get(child, child) for child in node.children)
    return new.get(graph, graph)


def update_by_copying(graph, targets, function):
    new = {}
    for node in children_first(graph):
        copy = Node(node.op, [new[child] for child in node.children], node.name)
        new[node] = function(copy) if node in targets else copy
    return new[graph]


def update_without_memory(graph, targets, function):
    children = [update_without_memory(child, targets, function) for child in graph.children]
    same = all(a is b for a, b in zip(children, graph.children, strict=True))
    new = graph if same else Node(graph.op, children, graph.name)
    return function(new) if graph in targets else new


def update_from_above(graph, targets, function):
    if graph in targets:
        return update_from_above(function(graph), targets, function)
    children = [update_from_above(child, targets, function) for child in graph.children]
    same = all(a is b for a, b in zip(children, graph.children, strict=True))
    return graph if same else Node(graph.op, children, graph.name)


def update_upper_only(graph, targets, function):
    new = {}
    for node in children_first(graph):
        if node in targets:
            new[node] = function(node)
            continue
        children = [new[child] for child in node.children]
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        new[node] = node if same else Node(node.op, children, node.name)
    return new[graph]


def update_and_forget_names(graph, targets, function):
    new = {}
    for node in children_first(graph):
        children = [new[child] for child in node.children]
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        built = node if same else Node(node.op, children)
        new[node] = function(built) if node in targets else built
    return new[graph]


# --- d1.2.13 ----------------------------------------------------------------------------------------------------------


def shared(before, after):
    return {node for node in children_first(before) if node in children_first(after)}


def shared_names(before, after):
    names = [node.name for node in children_first(after)]
    return [node for node in children_first(before) if node.name in names]


def shared_seen_from_after(before, after):
    names = [node.name for node in children_first(before)]
    return [node for node in children_first(after) if node.name in names]


WRONG = [
    ("d1.2.11", paired(found_or_error(find_readings)), "is found twice"),
    ("d1.2.11", paired(found_or_error(find_parts_of_names)), "compare whole names"),
    ("d1.2.11", paired(found_or_error(find_uppermost)), "nothing below a match"),
    ("d1.2.11", paired(find_silently), "Raise an error"),
    ("d1.2.11", paired(found_or_error(find_by_calling)), "ask isinstance(wanted, type) first"),
    ("d1.2.11", paired(found_or_error(find_names)), "return the nodes themselves"),
    ("d1.2.11", paired(lambda graph, wanted: next(iter(find(graph, wanted)))), "expected a list of nodes"),
    ("d1.2.12", paired(update_in_place), "the graph before was changed"),
    ("d1.2.12", paired(update_by_copying), "so that nothing is shared"),
    ("d1.2.12", paired(update_without_memory), "has become two nodes"),
    ("d1.2.12", paired(update_from_above), "the replacement was searched too"),
    ("d1.2.12", paired(update_upper_only), "the lower one is lost"),
    ("d1.2.12", paired(update_and_forget_names), "lost their names"),
    ("d1.2.13", paired(shared_names), "nodes of equal name"),
    ("d1.2.13", paired(shared_seen_from_after), "equal names are not the same node"),
    ("d1.2.13", paired(lambda before, after: len(shared(before, after))), "return the nodes themselves"),
    ("d1.2.13", paired(lambda a, b: set(children_first(a)) - shared(a, b)), "no longer there"),
    ("d1.2.13", paired(lambda a, b: [n for n in shared(a, b) if not n.children]), "only nodes without children"),
]

RIGHT = [
    ("d1.2.11", paired(find)),
    ("d1.2.12", paired(update)),
    ("d1.2.13", paired(shared)),
]
