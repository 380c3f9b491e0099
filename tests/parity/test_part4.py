"""Day 5, part 4, beside hooks: knock-outs at template means, self-repair, circuits, and the four-way table."""

import itertools

import numpy
import pytest
import torch

from remix_utils import circuits, evaluate, path_patch, placeholder
from remix_utils.tasks import ioi
from tests.parity.exercises import compares
from tests.parity.patches import held, replaced

LESSON = "part4_trial"
MOVERS = [(1, 3), (2, 0)]
GROUPS = {"movers": [(2, 0), (2, 3)], "before": [(1, 0), (1, 2)], "early": [(0, 1)]}
CIRCUIT = [head for heads in GROUPS.values() for head in heads]


@pytest.fixture(scope="module")
def means(lesson, hooked):
    """Each head's mean z over the ABC prompts of the row's template, row by row."""
    reference, template = lesson.means_from, lesson.data["template"]
    seen = hooked.see(reference["tokens"], reference["mask"])
    found = {}
    for layer, head in itertools.product(hooked.layers, hooked.heads):
        rows = [seen.z((layer, head))[reference["template"] == number].mean(0) for number in template]
        found[layer, head] = torch.stack(rows)
    return found


def without(hooked, clean, means, heads):
    """The run with some heads at their means, in which all that follows reacts."""
    return replaced(hooked, clean, {head: means[head] for head in heads})


def all_but(hooked, heads):
    return [each for each in itertools.product(hooked.layers, hooked.heads) if each not in set(heads)]


@compares("d5.4.1")
def test_means_of_templates(lesson, hooked, means, agree):
    """The node of a mean, and the table that it comes from, at all real words."""
    real = lesson.data["mask"]
    for head in CIRCUIT:
        found = evaluate(lesson.means[head], lesson.inputs)
        agree(found[real], hooked.written(head, means[head])[real])
    reference = lesson.means_from
    seen = hooked.see(reference["tokens"], reference["mask"])
    table = lesson.template_means(seen["end", 0], reference["template"], lesson.count)
    own = seen["end", 0][reference["template"] == 7]
    agree(table[7], own.sum(0) / len(own))


@compares("d5.4.2")
def test_knock_outs(lesson, hooked, clean, means, agree):
    """One head, heads of two layers, and all heads at their means."""
    for heads in (MOVERS[:1], MOVERS, CIRCUIT, all_but(hooked, [])):
        ours = evaluate(lesson.knock_out(lesson.difference, heads, lesson.means), lesson.inputs)
        agree(ours, without(hooked, clean, means, heads).difference(lesson.data))


def written_by_part(hooked, seen):
    """What each head and MLP adds to the stream at END."""
    for layer in hooked.layers:
        for head in hooked.heads:
            name = f"blocks.{layer}.attn.head.{head}.out"
            yield name, hooked.written((layer, head), seen.z((layer, head))[:, -1])
        yield f"blocks.{layer}.mlp_out", seen["mlp", layer][:, -1]


def both_attributions(lesson):
    """The parts of the difference before the movers are knocked out, and after."""
    answers = {"answers": lesson.data["token.IO"], "others": lesson.data["token.S"]}
    graph = lesson.knock_out(lesson.graph, MOVERS, lesson.means)
    return (
        circuits.logit_attribution(lesson.graph, lesson.data, **answers).parts,
        circuits.logit_attribution(graph, lesson.inputs, **answers).parts,
    )


@compares("d5.4.3")
def test_who_makes_up_for_it(lesson, hooked, clean, means, agree):
    """The change of each part's direct effect, each at its own run's scale."""
    removed = ["blocks.{}.attn.head.{}.out".format(*head) for head in MOVERS]
    predicted, others = lesson.account(*both_attributions(lesson), removed)
    gone = without(hooked, clean, means, MOVERS)
    changes = {}
    for (name, before), (_, after) in zip(written_by_part(hooked, clean), written_by_part(hooked, gone), strict=True):
        effects = [hooked.onto_difference(value, seen, lesson.data) for value, seen in ((before, clean), (after, gone))]
        changes[name] = effects[1] - effects[0]
    agree(predicted, sum(changes.pop(name) for name in removed))
    for name, change in changes.items():
        agree(others[name], change)
    ours = [name for name in others if name in changes]
    assert ours == sorted(changes, key=lambda name: -changes[name].mean())
    in_all = gone.difference(lesson.data) - clean.difference(lesson.data)
    agree(predicted + sum(others.values()), in_all)


@compares("d5.4.4")
def test_the_norms_scale(lesson, hooked, clean, means, agree):
    """The ratio of the two runs' scales, and what each part writes at the old one."""
    before, after = both_attributions(lesson)
    for parts in (before, after):
        parts.pop("bias")
    earlier = [name for name in before if not name.startswith(("blocks.1.", "blocks.2."))]
    ratio, writes = lesson.scale_and_writes(before, after, earlier)
    gone = without(hooked, clean, means, MOVERS)
    agree(ratio, hooked.scale(clean) / hooked.scale(gone))
    then, now = (dict(written_by_part(hooked, seen)) for seen in (clean, gone))
    for name in ("blocks.1.attn.head.3.out", "blocks.2.attn.head.1.out", "blocks.2.mlp_out"):
        moved = hooked.onto_difference(now[name] - then[name], clean, lesson.data)
        agree(writes[name], moved)


@compares("d5.4.5")
def test_faithfulness(lesson, hooked, clean, means, agree):
    """Circuit, empty circuit and full model, and the share with an error by leaving rows out."""
    ours, theirs = [], []
    for heads in (CIRCUIT, [], all_but(hooked, [])):
        gone = all_but(hooked, heads)
        graph = lesson.knock_out(lesson.difference, gone, lesson.means)
        ours.append(evaluate(graph, lesson.inputs))
        theirs.append(without(hooked, clean, means, gone).difference(lesson.data))
        agree(ours[-1], theirs[-1])
    part, empty, full = (values.numpy() for values in theirs)
    share, error = lesson.recovered(*ours)
    agree(share, (part.mean() - empty.mean()) / (full.mean() - empty.mean()))
    left = []
    for row in range(len(part)):
        few = [numpy.delete(values, row).mean() for values in (part, empty, full)]
        left.append((few[0] - few[1]) / (few[2] - few[1]))
    agree(error, numpy.std(left) * (len(left) - 1) ** 0.5)


@compares("d5.4.6")
def test_minimality(lesson, hooked, clean, means, agree):
    """Each head alone of its group, and the circuit without that group."""
    pairs = lesson.minimality_sets(GROUPS)
    for group, heads in GROUPS.items():
        rest = [head for name, others in GROUPS.items() if name != group for head in others]
        for head in heads:
            for kept, own in zip(pairs[head], ([*rest, head], rest), strict=True):
                graph = lesson.knock_out(lesson.difference, all_but(hooked, kept), lesson.means)
                seen = without(hooked, clean, means, all_but(hooked, own))
                agree(evaluate(graph, lesson.inputs), seen.difference(lesson.data))


@compares("d5.4.7")
def test_completeness(lesson, hooked, clean, means, agree):
    """The worst set by greedy search over groups is that of all sets with one group more."""

    def gap(names):
        """The mean gap of a set by hooks."""
        left = {head for name in names for head in GROUPS[name]}
        inside = without(hooked, clean, means, all_but(hooked, set(CIRCUIT) - left))
        outside = without(hooked, clean, means, left)
        return (inside.difference(lesson.data) - outside.difference(lesson.data)).mean()

    def gaps(sets):
        """The mean gaps of some sets by our graph."""
        found = []
        for names in sets:
            left = {head for name in names for head in GROUPS[name]}
            gone = all_but(hooked, set(CIRCUIT) - left), list(left)
            graphs = [lesson.knock_out(lesson.difference, each, lesson.means) for each in gone]
            inside, outside = evaluate(graphs, lesson.inputs)
            found.append((inside - outside).mean().item())
        return found

    path, taken = lesson.greedy(gaps, list(GROUPS), steps=2), set()
    for names, found in path:
        sizes = {name: gap(taken | {name}) for name in GROUPS if name not in taken}
        best = max(sizes, key=lambda name: abs(sizes[name]))
        taken = taken | {best}
        assert names == taken
        agree(found, sizes[best])


@pytest.fixture(scope="module")
def table(lesson, hooked, clean):
    """The difference if some heads read each of the six prompts, by hooks."""
    found = {}
    for case, prompts in lesson.six_prompts(lesson.clean, seed=6).items():
        data = ioi.dataset(prompts, lesson.encode, pad=0)
        source = hooked.see(data["tokens"], data["mask"])
        sent = {head: source.z(head) for head in CIRCUIT}
        found[case] = replaced(hooked, clean, sent).difference(lesson.data)
    return found


@compares("d5.4.8")
def test_the_four_way_table(lesson, table, agree):
    """Position kept or inverted, token kept, random or swapped."""
    for case, prompts in lesson.six_prompts(lesson.clean, seed=6).items():
        source = placeholder("source", (lesson.seq,), torch.long)
        graph = path_patch(lesson.difference, lesson.model.heads(CIRCUIT), {"tokens": source})
        tokens = ioi.dataset(prompts, lesson.encode, pad=0)["tokens"]
        agree(evaluate(graph, lesson.data.columns | {"source": tokens}), table[case])
    assert len(table) == 6


@compares("d5.4.9")
def test_two_signals_and_a_fit(lesson, table, agree):
    """The weights of position and token by numpy's least squares on the hooks' table."""
    position, token = {"kept": 1, "inverted": -1}, {"kept": 1, "random": 0, "swapped": -1}
    terms = numpy.array([[1.0, position[first], token[second]] for first, second in table])
    values = numpy.array([each.mean().item() for each in table.values()])
    weights = numpy.linalg.lstsq(terms, values, rcond=None)[0]
    ours = lesson.fit_signals({case: each.mean().item() for case, each in table.items()})
    agree(torch.tensor(ours[:3]), torch.from_numpy(weights))
    agree(ours[3], numpy.linalg.norm(values - terms @ weights) / numpy.linalg.norm(values))


@compares("d5.4.10")
def test_prompts_that_mislead(lesson, hooked, agree):
    """A name once more in front, in prompts that are longer."""
    for role in ("IO", "S"):
        longer = ioi.dataset(lesson.clean.again(role), lesson.encode, pad=0)
        graph = lesson.model.graph(seq=longer["tokens"].shape[1], mask=True)
        ours = evaluate(circuits.logit_difference(graph), longer)
        theirs = hooked.see(longer["tokens"], longer["mask"]).difference(longer)
        agree(ours, theirs)
        assert lesson.wrong_share(ours)[0] == sum(value <= 0 for value in theirs.tolist()) / len(theirs)


def test_the_sweep_of_this_part_is_a_path_patch(lesson, hooked, clean, agree):
    """The stand-in at the logits gives what hooks give that hold all else."""
    abc = hooked.see(lesson.both["other.tokens"], lesson.data["mask"])
    rows = torch.arange(len(lesson.data))
    found = lesson.sweep(lambda layer: lesson.STREAM, len(hooked.layers), rows)
    for head in CIRCUIT:
        seen = held(hooked, clean, {head: abc.z(head)})
        agree(found[head], clean.difference(lesson.data) - seen.difference(lesson.data))
