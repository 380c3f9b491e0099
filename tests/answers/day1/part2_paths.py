"""Answers to d1.2.15 to d1.2.17: another input below one node, paths, and one path patched."""

from tests.answers.day1.part2_building import children_first, paired
from tests.answers.day1.part2_editing import update
from tests.answers.day1.part2_words import Node, Placeholder

# --- d1.2.15 ----------------------------------------------------------------------------------------------------------


def node_called(graph, name):
    return next(node for node in children_first(graph) if node.name == name)


def on_other(graph):
    """The graph on x_other."""
    x = node_called(graph, "x")
    return update(graph, [x], lambda node: Node(Placeholder(x.shape), (), "x_other"))


def resampled(graph, name):
    """The node out of a graph that reads x_other altogether."""
    other = node_called(on_other(graph), name)
    return update(graph, [node_called(graph, name)], lambda node: other)


def resampled_and_dropped(graph, name):
    other = on_other(node_called(graph, name))
    update(graph, [node_called(graph, name)], lambda node: other)
    return graph


def resampled_node_alone(graph, name):
    return on_other(node_called(graph, name))


def resampled_all_else(graph, name):
    node = node_called(graph, name)
    whole = on_other(graph)
    return update(whole, [node_called(whole, name)], lambda new: node)


def resampled_from_outside(graph, name):
    return update(graph, [node_called(graph, name)], lambda node: Node(Placeholder(node.shape), (), "x_other"))


def resampled_under_another_name(graph, name):
    node = node_called(graph, name)
    other = update(node, [node_called(node, "x")], lambda x: Node(Placeholder(x.shape), (), "other_x"))
    return update(graph, [node], lambda node: other)


# --- d1.2.16 and d1.2.17 ----------------------------------------------------------------------------------------------


def paths(graph, name):
    """Level by level, as lists."""
    found, level = [], [([], graph)]
    while level:
        found += [path for path, node in level if node.name == name]
        level = [([*path, i], child) for path, node in level for i, child in enumerate(node.children)]
    return found


def paths_of_first_visits(graph, name):
    seen = set()

    def walk(node, path):
        if node in seen:
            return []
        seen.add(node)
        own = [path] if node.name == name else []
        return own + [each for i, child in enumerate(node.children) for each in walk(child, (*path, i))]

    return walk(graph, ())


def paths_by_child(graph, name):
    found = [()] if graph.name == name else []
    for child in dict.fromkeys(graph.children):
        found += [(graph.children.index(child), *path) for path in paths_by_child(child, name)]
    return found


def paths_of_names(graph, name):
    found = [(graph.name,)] if graph.name == name else []
    return found + [(graph.name, *path) for child in graph.children for path in paths_of_names(child, name)]


def patch_path(graph, path, new):
    """From the end of the path up to the root."""
    passed = [graph]
    for step in path:
        passed.append(passed[-1].children[step])
    for node, step in zip(passed[-2::-1], list(path)[::-1], strict=True):
        new = Node(node.op, [new if i == step else child for i, child in enumerate(node.children)], node.name)
    return new


def end_of(graph, path):
    for step in path:
        graph = graph.children[step]
    return graph


def patch_node(graph, path, new):
    return update(graph, [end_of(graph, path)], lambda node: new)


def patch_every_reading(graph, path, new):
    if not path:
        return new
    old = graph.children[path[0]]
    fresh = patch_every_reading(old, path[1:], new)
    return Node(graph.op, [fresh if child is old else child for child in graph.children], graph.name)


def patch_in_place(graph, path, new):
    if not path:
        return new
    reader = end_of(graph, path[:-1])
    reader.children = (*reader.children[: path[-1]], new, *reader.children[path[-1] + 1 :])
    return graph


def patch_last_reader(graph, path, new):
    return patch_path(end_of(graph, path[:-1]), path[-1:], new) if path else new


WRONG = [
    ("d1.2.15", paired(lambda graph, name: on_other(graph)), "everything reads x_other now"),
    ("d1.2.15", paired(resampled_and_dropped), "Return the new one"),
    ("d1.2.15", paired(resampled_node_alone), "put it into the graph"),
    ("d1.2.15", paired(resampled_all_else), "the parts are exchanged"),
    ("d1.2.15", paired(resampled_from_outside), "and not the place of the node"),
    ("d1.2.15", paired(resampled_under_another_name), "the graph reads an input 'other_x'"),
    ("d1.2.16", paired(paths_of_first_visits), "a second way to the same node"),
    ("d1.2.16", paired(paths_by_child), "go by child number"),
    ("d1.2.16", paired(lambda graph, name: paths(graph, name)[:1]), "only the first path"),
    ("d1.2.16", paired(lambda graph, name: [path[::-1] for path in paths(graph, name)]), "the paths run upwards"),
    ("d1.2.16", paired(paths_of_names), "something else than whole numbers"),
    ("d1.2.17", paired(patch_node), "which is what update does"),
    ("d1.2.17", paired(patch_every_reading), "replaced in both places"),
    ("d1.2.17", paired(patch_in_place), "a node on the path was written into"),
    ("d1.2.17", paired(patch_last_reader), "only the last reader"),
]

RIGHT = [
    ("d1.2.15", paired(resampled)),
    ("d1.2.16", paired(paths)),
    ("d1.2.17", paired(patch_path)),
]
