"""Looking at graphs without changing them: d1.2.11 (find), d1.2.13 (shared) and d1.2.16 (paths)."""

from __future__ import annotations

from remix_utils.checks.day1.handed_in import REFUSED, judged, or_refused
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.checks.own_graphs import Build, below, rebuilt, recipes

NODES = (list, tuple, set, frozenset)


def positions(found, graph, name):
    """Where the found nodes stand in the graph, children first; Wrong for what is no node of it."""
    if not isinstance(found, NODES):
        raise Wrong(f"{name} gives a {type(found).__name__}, expected a list of nodes, also for a single one.")
    place = {id(node): position for position, node in enumerate(below(graph))}
    strange = [each for each in found if id(each) not in place]
    if strange:
        raise Wrong(
            f"{name} gives a {type(strange[0]).__name__} that is no node of the graph: return the nodes themselves."
        )
    return sorted(place[id(node)] for node in found)


def named(found, graph):
    """`hidden` or `bias (2)`: a found position as the reader knows it."""
    names = [node.name for node in below(graph)]
    return [names[p] if names.count(names[p]) == 1 else f"{names[p]} ({names[: p + 1].count(names[p])})" for p in found]


# --- d1.2.11 ----------------------------------------------------------------------------------------------------------

WANTED = {
    "pairs": lambda words: lambda node: tuple(node.shape) == (2,),
    "readers of two": lambda words: lambda node: len(node.children) == 2,
    "Relu": lambda words: words["Relu"],
    "Add": lambda words: words["Add"],
    "Array": lambda words: words["Array"],
}
QUESTIONS = [
    ("diamond", "both"),
    ("network", "skip"),
    ("network", "Array"),
    ("network", "pairs"),
    ("ladder", "Relu"),
    ("ladder", "Add"),
    ("namesakes", "sum"),
    ("namesakes", "readers of two"),
    ("twice", "active"),
    ("twice", "double"),
    ("twice", "actve"),
]


def _found(words, function, recipe, question):
    graph = recipe(words)
    wanted = WANTED[question](words) if question in WANTED else question
    found = or_refused(function, graph, wanted)
    if found is REFUSED:
        return "an error"
    return named(positions(found, graph, "find"), graph) or "nothing, and no error"


def _fits(node, wanted):
    if isinstance(wanted, str):
        return node.name == wanted
    return isinstance(node.op, wanted) if isinstance(wanted, type) else wanted(node)


def _search(graph, wanted):
    found = [node for node in below(graph) if _fits(node, wanted)]
    if not found:
        raise LookupError(wanted)
    return found


def _every_reading(graph, wanted):
    def search(node):
        own = [node] if _fits(node, wanted) else []
        return own + [found for child in node.children for found in search(child)]

    return search(graph) or _search(graph, wanted)


def _part_of_the_name(graph, wanted):
    if isinstance(wanted, str) and not any(wanted in node.name for node in below(graph)):
        raise LookupError(wanted)
    return _search(graph, (lambda node: wanted in node.name) if isinstance(wanted, str) else wanted)


def _stops_at_a_match(graph, wanted):
    seen = {}

    def search(node):
        if id(node) in seen:
            return
        seen[id(node)] = node if _fits(node, wanted) else None
        for child in () if seen[id(node)] is not None else node.children:
            search(child)

    search(graph)
    return [node for node in seen.values() if node is not None] or _search(graph, wanted)


def _silent(graph, wanted):
    return [node for node in below(graph) if _fits(node, wanted)]


def _root_forgotten(graph, wanted):
    return [node for node in _search(graph, wanted) if node is not graph]


def _class_as_predicate(graph, wanted):
    test = wanted if callable(wanted) else lambda node: node.name == wanted
    found = [node for node in below(graph) if test(node)]
    if not found:
        raise LookupError(wanted)
    return found


@exercise("d1.2.11")
def _(answer, seed, reference):
    mistakes = [
        ("a node that is read twice is found twice: each node counts once.", _every_reading),
        (
            'every name that contains the wanted one matches ("skip" finds "skip w"): compare whole names.',
            _part_of_the_name,
        ),
        ("nothing below a match is searched: a Relu may lie below a Relu.", _stops_at_a_match),
        ("finding nothing is no error: a slip in a name would ablate nothing, silently. Raise an error.", _silent),
        ("the root itself is never found: it is a node too.", _root_forgotten),
        (
            "a class was called like a predicate, and classes are callable too: ask isinstance(wanted, type) first.",
            _class_as_predicate,
        ),
    ]
    cases = [(recipe, question) for name, question in QUESTIONS for recipe in recipes(seed, name)]
    judged(answer, "find", seed, reference, use=_found, cases=cases, oracle=_search, mistakes=mistakes)


# --- d1.2.13 ----------------------------------------------------------------------------------------------------------


def _shared(words, function, recipe, name):
    """The nodes of a graph that another one, with a Relu put above one node, still has."""
    before = recipe(words)
    make = Build(words)
    target = next(node for node in below(before) if node.name == name)
    after = rebuilt(words, before, {id(target): lambda node: make.relu(node, "wrapped")})
    found = function(before, after)
    if isinstance(found, int):
        raise Wrong(f"shared gives the number {found}: return the nodes themselves, in a list.")
    kept = {id(node) for node in below(before)}
    if isinstance(found, NODES) and any(id(node) not in kept for node in found):
        raise Wrong("shared gives a node that the graph before does not have: equal names are not the same node.")
    return named(positions(found, before, "shared"), before)


def _same_objects(before, after):
    kept = {id(node) for node in below(after)}
    return [node for node in below(before) if id(node) in kept]


def _same_names(before, after):
    names = {node.name for node in below(after)}
    return [node for node in below(before) if node.name in names]


def _others(before, after):
    kept = _same_objects(before, after)
    return [node for node in below(before) if not any(node is each for each in kept)]


def _leaves(before, after):
    return [node for node in _same_objects(before, after) if not node.children]


@exercise("d1.2.13")
def _(answer, seed, reference):
    mistakes = [
        ("nodes of equal name are counted as shared: ask whether they are the same object.", _same_names),
        ("these are the nodes that are no longer there: the shared ones are all others.", _others),
        ("only nodes without children are found: whole branches may be shared.", _leaves),
    ]
    spots = [
        ("diamond", "active"),
        ("diamond", "bias"),
        ("network", "hidden"),
        ("network", "skip"),
        ("ladder", "block c"),
    ]
    cases = [(recipe, name) for graph, name in spots for recipe in recipes(seed, graph)]
    judged(answer, "shared", seed, reference, use=_shared, cases=cases, oracle=_same_objects, mistakes=mistakes)


# --- d1.2.16 ----------------------------------------------------------------------------------------------------------


def _paths_found(words, function, recipe, name):
    found = function(recipe(words), name)
    if not isinstance(found, NODES) or not all(isinstance(path, list | tuple) for path in found):
        raise Wrong("paths gives no list of tuples: a path is a tuple of child numbers, such as (0, 1).")
    if not all(isinstance(step, int) for path in found for step in path):
        raise Wrong("a path holds something else than whole numbers: give the child numbers from the root down.")
    return [" ".join(map(str, path)) or "the root itself" for path in sorted(map(tuple, found))]


def _walk(graph, name):
    """All paths by a stack of (node, path so far)."""
    found, stack = [], [(graph, ())]
    while stack:
        node, path = stack.pop()
        if node.name == name:
            found.append(path)
        stack += [(child, (*path, i)) for i, child in enumerate(node.children)]
    return found


def _first_visit_only(graph, name):
    found, stack, seen = [], [(graph, ())], set()
    while stack:
        node, path = stack.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.name == name:
            found.append(path)
        stack = [(child, (*path, i)) for i, child in enumerate(node.children)] + stack
    return found


def _once_a_child(graph, name):
    def walk(node):
        own = [()] if node.name == name else []
        numbers = {id(child): i for i, child in reversed(list(enumerate(node.children)))}
        return own + [(i, *path) for i in numbers.values() for path in walk(node.children[i])]

    return walk(graph)


ONLY_ONE = "only the first path is found: go on after a match."


@exercise("d1.2.16")
def _(answer, seed, reference):
    mistakes = [
        (
            "a node that was reached before is not entered again: for values a memory is right, but a second way to "
            "the same node is a second path.",
            _first_visit_only,
        ),
        ("the paths run upwards, from the node to the root: begin at the root.", _upwards),
        (ONLY_ONE, lambda graph, name: sorted(_walk(graph, name))[:1]),
        (ONLY_ONE, lambda graph, name: sorted(_walk(graph, name), key=lambda p: (len(p), p))[:1]),
        ("a node that reads a child twice gives two paths: go by child number, not by child.", _once_a_child),
    ]
    spots = [("diamond", "x"), ("diamond", "bias"), ("network", "x"), ("network", "w"), ("ladder", "stream b")]
    spots += [("twice", "x"), ("namesakes", "bias"), ("diamond", "total")]
    cases = [(recipe, name) for graph, name in spots for recipe in recipes(seed, graph)]
    judged(answer, "paths", seed, reference, use=_paths_found, cases=cases, oracle=_walk, mistakes=mistakes)


def _upwards(graph, name):
    return [path[::-1] for path in _walk(graph, name)]
