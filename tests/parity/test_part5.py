"""Day 5, part 5, beside hooks: a scrub is a run in which given rows are exchanged; and edges by gradient."""

import pytest
import torch

from remix_utils import Interp, path_patch, scrub
from tests.parity.exercises import compares
from tests.parity.patches import (
    constant,
    down,
    held,
    mlps,
    parts,
    replaced,
    through,
    with_heads,
    with_sides,
)

LESSON = "part5_claims"
MOVERS = [(1, 3), (2, 0), (2, 2)]
INHIBITION = [(1, 0), (1, 2)]
EARLY = [(0, 1), (0, 2)]
DRAWS = 25


class Scrubbed:
    """A claim's draws, and the two runs of the hooks on the rows that its reference and a name read."""

    def __init__(self, lesson, hooked, claim: Interp, name: str = "path"):
        found = scrub(lesson.difference, claim, lesson.population, DRAWS, seed=3)
        reference, other = (found.rows[each] for each in ("reference", name))
        assert (reference != other).double().mean() > 0.5
        self.ours, self.rows = found.per_example, found.rows
        self.data = lesson.population[reference]
        self.reference = hooked.see(self.data["tokens"], self.data["mask"])
        moved = lesson.population[other]
        assert torch.equal(moved["mask"], self.data["mask"])
        self.other = hooked.see(moved["tokens"], moved["mask"])


@compares("d5.5.1")
def test_direct_effects_and_what_reaches_the_queries(lesson, hooked, clean, abc, agree):
    """The sweeps from which the claims' heads are chosen, and their rows below 0."""
    effects = lesson.sweep(lambda layer: lesson.STREAM, len(hooked.layers))
    queries = lesson.stage(lesson.direct(MOVERS), MOVERS, "q")
    full, total = clean.difference(lesson.data), 0
    for head, values in effects.items():
        arriving = held(hooked, clean, parts(abc, head))
        theirs = full - arriving.difference(lesson.data)
        agree(values, theirs)
        total = total + theirs
        if head in queries:
            found = down(hooked, clean, [(MOVERS, "q")], arriving)
            agree(queries[head], full - found.difference(lesson.data))
    exceptions = sum(value < 0 for value in total.tolist())
    assert lesson.never(torch.stack([*effects.values()]).sum(0))[0] == exceptions > 0


@compares("d5.5.3")
@pytest.mark.parametrize("columns", [(), ("token.IO",), ("order", "token.S")], ids=str)
def test_a_scrub_exchanges_the_rows_of_a_path(lesson, hooked, agree, columns):
    """The heads' direct output is that of another row, which agrees in the columns."""
    found = Scrubbed(lesson, hooked, lesson.carries(lesson.direct(MOVERS), *columns))
    for name in ("template", *columns):
        assert torch.equal(found.data[name], lesson.population[found.rows["path"]][name])
    seen = held(hooked, found.reference, parts(found.other, *MOVERS))
    agree(found.ours, seen.difference(found.data))


@compares("d5.5.3")
def test_a_scrub_of_whole_outputs(lesson, hooked, agree):
    """All readers of the heads see the other row, and react."""
    found = Scrubbed(lesson, hooked, lesson.carries(lesson.outputs_of(INHIBITION)))
    seen = replaced(hooked, found.reference, parts(found.other, *INHIBITION))
    agree(found.ours, seen.difference(found.data))


@compares("d5.5.4")
def test_a_scrub_of_values(lesson, hooked, agree):
    """The patterns are those of the reference, and the values those of another row."""
    found = Scrubbed(lesson, hooked, lesson.carries(lesson.values_of(MOVERS), "order"))
    seen = down(hooked, found.reference, [(MOVERS, "v")], found.other)
    agree(found.ours, seen.difference(found.data))


@compares("d5.5.6")
@pytest.mark.parametrize("column", ["token.S", "order"])
def test_a_scrub_of_what_reaches_the_queries(lesson, hooked, agree, column):
    """Senders to the movers' queries, and on to the logits, with all else held."""
    found = Scrubbed(lesson, hooked, lesson.carries(lesson.sent(INHIBITION, MOVERS), column))
    arriving = held(hooked, found.reference, parts(found.other, *INHIBITION))
    seen = down(hooked, found.reference, [(MOVERS, "q")], arriving)
    agree(found.ours, seen.difference(found.data))


@compares("d5.5.7")
@pytest.mark.parametrize("layer", [1, 2])
def test_a_scrub_of_what_feeds_heads(lesson, hooked, agree, layer):
    """Senders into three sides of heads, MLPs between them react; what these write may go anywhere."""
    receivers = [(layer, 0), (layer, 2)]
    found = Scrubbed(lesson, hooked, lesson.carries(lesson.fed(EARLY, receivers)))
    theirs = []
    for react in (mlps(hooked), ()):
        arriving = held(hooked, found.reference, parts(found.other, *EARLY), react)
        edits = {("qkv", layer): with_sides(arriving, layer, receivers, "qkv")}
        seen = hooked.see(found.reference.tokens, found.reference.mask, edits)
        theirs.append(seen.difference(found.data))
    agree(found.ours, theirs[0])
    assert not torch.allclose(*theirs)


@compares("d5.5.8")
def test_a_scrub_of_all_but_the_heads(lesson, hooked, agree):
    """Everything is that of another row, but for the heads' direct output and the two names compared."""
    found = Scrubbed(lesson, hooked, lesson.only(MOVERS), "difference.others")
    for column in ("order", "token.IO", "token.S"):
        values = lesson.population[column]
        assert not torch.equal(values[found.rows["difference.others"]], found.data[column])
    seen = held(hooked, found.other, parts(found.reference, *MOVERS))
    agree(found.ours, seen.difference(found.data))


def slope(hooked, clean, data, edit_of):
    """The gradient of each row's difference with respect to a vector added where an edit puts it."""
    added = torch.zeros_like(clean["end", 0], requires_grad=True)
    hooked.see(clean.tokens, clean.mask, edit_of(added)).difference(data).sum().backward()
    return added.grad


def into_side(hooked, clean, movers, side):
    """Edits by which a vector is added to the stream that a side of the movers reads, and to nothing else."""

    def edits(added):
        found = {}
        for layer in hooked.layers:
            own = [head for each, head in movers if each == layer]
            z = {(layer, head): clean.z((layer, head)) for head in hooked.heads if head not in own}
            found["z", layer] = with_heads(z, layer)
            found["mlp", layer] = constant(clean["mlp", layer])
            found["qkv", layer] = asking(layer, own, added)
        return found

    def asking(layer, own, added):
        asked = hooked.asked(layer, clean["stream", layer] + added)[side]
        still = hooked.asked(layer, clean["stream", layer])

        def edit(*_):
            changed = still[side].clone()
            changed[:, :, own] = asked[:, :, own]
            return {**still, side: changed}

        return edit

    return edits


@compares("d5.5.9")
def test_edges_by_gradient(lesson, hooked, clean, abc, agree):
    """Backward passes of transformers' model to the last stream, and to the movers' queries and values."""

    def last_stream(added):
        return {("end", 0): lambda stream: stream + added}

    def attributed(head, gradient):
        written = [hooked.written(head, seen.z(head)) for seen in (clean, abc)]
        ours = lesson.attribute(gradient[0], *written)
        agree(ours, torch.einsum("rsd,rsd->r", written[0] - written[1], gradient[1]))

    both = lesson.gradient(lesson.STREAM), slope(hooked, clean, lesson.data, last_stream)
    agree(*both)
    attributed((2, 1), both)
    for movers, side in ((MOVERS[:1], "q"), (MOVERS[1:], "q"), (MOVERS, "v")):
        way = lesson.into(lesson.direct(movers), movers, side) >> lesson.STREAM
        both = lesson.gradient(way), slope(hooked, clean, lesson.data, into_side(hooked, clean, movers, side))
        agree(*both)
        attributed((0, 1), both)


@compares("d5.5.9")
def test_two_kinds_of_edges_together(lesson, hooked, clean, abc, agree):
    """Some heads' direct output and what others send to the queries come from ABC at once."""
    way = lesson.direct(EARLY) | lesson.sent(INHIBITION, MOVERS)
    arriving = held(hooked, clean, parts(abc, *INHIBITION))
    sent = through(hooked, clean, arriving, MOVERS, "q") | parts(abc, *EARLY)
    graph = path_patch(lesson.difference, way, {"tokens": lesson.other})
    agree(lesson.evaluate(graph, lesson.both), held(hooked, clean, sent).difference(lesson.data))
