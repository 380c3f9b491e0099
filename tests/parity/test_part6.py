"""Day 5, part 6, beside hooks: the table of two causes, a metric of sets of words, and "enough" as a scrub."""

import pytest
import torch

from remix_utils import Dataset, at, circuits, evaluate, scrub
from remix_utils.tasks import ioi
from tests.parity.exercises import compares
from tests.parity.patches import down, held, mlps, part, parts, replaced, through

LESSON = "part6_elsewhere"
READERS = [(1, 3), (2, 0), (2, 2)]
SENDERS = [(1, 0), (1, 2)]
DRAWS = 25


@pytest.mark.parametrize("side", ["q", "v"])
@compares("d5.6.1")
def test_the_table_of_two_causes(lesson, hooked, agree, side):
    """Whole senders see another prompt, or one path from them does; and the losses by cause."""
    ready = lesson.prepared(lesson.model)
    data = ready["data"]
    found = {"readers": READERS, "side": side, "senders": SENDERS}
    ours = lesson.tables(lesson.model, ready, found)
    clean = hooked.see(data["tokens"], data["mask"])
    theirs = {}
    for case, prompts in lesson.other_prompts(ready["clean"]).items():
        changed = ioi.dataset(prompts, lesson.encode, pad=0)
        sent = parts(hooked.see(changed["tokens"], changed["mask"]), *SENDERS)
        theirs["whole heads", case] = replaced(hooked, clean, sent).difference(data)
        seen = down(hooked, clean, [(READERS, side)], held(hooked, clean, sent))
        theirs["path", case] = seen.difference(data)
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        agree(ours[key], values)
    signs = {case: [-1 if word in ("another", "inverted") else 1 for word in case.split(", ")] for case in lesson.CASES}
    cases = {case: theirs["path", case] for case in signs}
    token = sum(signs[case][0] * values for case, values in cases.items()) / 2
    position = sum(signs[case][1] * values for case, values in cases.items()) / 2
    both = sum(signs[case][0] * signs[case][1] * values for case, values in cases.items()) / 2
    contrasts = lesson.contrasts({case: ours["path", case] for case in lesson.CASES})
    for found, expected in zip(contrasts, (token, position, both), strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-9)


def score(seen, data):
    """The mean logit of the right words at END minus that of the wrong ones, row by row."""
    found = []
    for logits, words, right in zip(seen.logits[:, -1], data["candidates"], data["right"], strict=True):
        found.append(logits[words[right]].mean() - logits[words[~right]].mean())
    return torch.stack(found)


@pytest.fixture(scope="module")
def counterfactual(lesson, hooked):
    return hooked.see(lesson.data["other.tokens"], lesson.data["mask"])


@compares("d5.6.3")
def test_a_metric_of_sets_of_words(lesson, clean, counterfactual, agree):
    """On prompts and on counterfactuals, with the first prompt's right words."""
    inputs = lesson.data.columns | {"weights": lesson.weights(lesson.data["right"])}
    agree(evaluate(lesson.score, inputs), score(clean, lesson.data))
    inputs |= {"tokens": lesson.data["other.tokens"]}
    agree(evaluate(lesson.score, inputs), score(counterfactual, lesson.data))


def selected(lesson, key):
    return at(f"blocks.{key[1]}.mlp_out") if key[0] == "mlp" else lesson.outputs_of([key])


@compares("d5.6.4")
def test_direct_effects_on_the_score(lesson, hooked, clean, counterfactual, agree):
    """Of every head and MLP; those that stand out in one half are measured on the other."""
    keys = [(layer, head) for layer in hooked.layers for head in hooked.heads] + mlps(hooked)
    ways = {key: lesson.direct(selected(lesson, key)) for key in keys}
    ours, theirs = lesson.falls(lesson.score, ways, lesson.data.columns), {}
    for key in keys:
        seen = held(hooked, clean, parts(counterfactual, key))
        theirs[key] = score(clean, lesson.data) - score(seen, lesson.data)
        agree(ours[key], theirs[key])
    first = torch.arange(len(lesson.data)) % 2 == 0
    least = float(torch.stack([*theirs.values()]).abs().median())
    sizes = {key: values.abs() for key, values in ours.items()}  # whose means are surely above 0
    found = lesson.found_then_measured(sizes, first, least)
    chosen = {}
    for key, fall in theirs.items():
        here, there = fall[0::2].abs(), fall[1::2].abs()
        if here.mean() > max(3 * here.std() / len(here) ** 0.5, least):
            chosen[key] = here.mean()
            agree(found[key].mean, there.mean())
            agree(found[key].se, there.std() / len(there) ** 0.5)
    assert list(found) == sorted(chosen, key=lambda key: -chosen[key])
    assert 0 < len(found) < len(keys)


@compares("d5.6.4")
def test_what_feeds_the_writers(lesson, hooked, clean, counterfactual, agree):
    """Into all inputs of heads and of an MLP, and on directly to the score."""
    names = {f"blocks.{layer}.attn.head.{head}.out" for layer, head in READERS}
    into = lesson.direct(at({*names, "blocks.2.mlp_out"}))
    for key in ((0, 1), (1, 2), ("mlp", 0)):
        ours = lesson.falls(lesson.score, {key: into >> lesson.direct(selected(lesson, key))}, lesson.data.columns)
        sent = parts(counterfactual, key)
        heads = through(hooked, clean, held(hooked, clean, sent), READERS, "qkv")
        reacted = held(hooked, clean, sent, react=[("mlp", 2)])
        seen = held(hooked, clean, heads | {("mlp", 2): part(reacted, ("mlp", 2))})
        agree(ours[key], score(clean, lesson.data) - score(seen, lesson.data))


@compares("d5.6.5")
@pytest.mark.parametrize("rest", [None, (), ("fact",)], ids=str)
def test_enough_for_the_behaviour(lesson, hooked, agree, rest):
    """The heads' direct output is that of a row with the same fact, and all else that of a third row."""
    claim = lesson.hypothesis(lesson.direct(lesson.outputs_of(READERS)), ("fact",), rest)
    words = lesson.population["candidates"].shape[1]
    numbers = torch.randn(len(lesson.population), words, generator=torch.Generator().manual_seed(0))
    population = Dataset(lesson.population.columns | {"weights": numbers})
    found = scrub(circuits.word_score(lesson.whole, words), claim, population, DRAWS, seed=3)
    names = {"reference": "reference", "path": "path"}
    names |= {} if rest is None else {"others": "score.others"}
    rows = {name: population[found.rows[given]] for name, given in names.items()}
    runs = {name: hooked.see(data["tokens"], data["mask"]) for name, data in rows.items()}
    assert (found.rows["path"] != found.rows["reference"]).any()
    assert torch.equal(rows["path"]["fact"], rows["reference"]["fact"])
    if rest is not None:
        assert (found.rows["score.others"] != found.rows["reference"]).any()
        same = torch.equal(rows["others"]["fact"], rows["reference"]["fact"])
        assert same == ("fact" in rest)
    seen = held(hooked, runs["reference" if rest is None else "others"], parts(runs["path"], *READERS))
    logits = seen.logits[:, -1].gather(1, rows["reference"]["candidates"])
    agree(found.per_example, (logits * rows["reference"]["weights"]).sum(1))
