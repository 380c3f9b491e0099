"""Day 5, part 3, beside hooks: path patches into logits, queries and values, and what heads attend to and write."""

import numpy
import pytest
import torch

from remix_utils import at, circuits, evaluate, find_one, index, placeholder
from remix_utils.tasks import repeated
from tests.parity.exercises import compares
from tests.parity.patches import down, held, mlps, part, parts, replaced, through, with_sides

LESSON = "part3_paths"
MOVERS = [(1, 3), (2, 0), (2, 2)]
INHIBITION = [(1, 0), (1, 2)]
EARLY = [(0, 1), (0, 2)]


@pytest.fixture
def fall(lesson, clean):
    """By how much the difference of a run is below the clean one."""
    return lambda seen: clean.difference(lesson.data) - seen.difference(lesson.data)


def ours(lesson, ways):
    return lesson.falls(lesson.difference, ways, lesson.other, lesson.both)


def selected(lesson, key):
    """The selector of a head (layer, head), of an MLP or of the embedding."""
    if not isinstance(key[0], str):
        return lesson.outputs_of([key])
    return at("embed") if key[0] == "embed" else at(f"blocks.{key[1]}.mlp_out")


def test_the_two_prompts_differ(lesson, clean, abc):
    """All names are others in ABC prompts."""
    for role in ("IO", "S1", "S2"):
        places = lesson.data[f"position.{role}"][:, None]
        assert (clean.tokens.gather(1, places) != abc.tokens.gather(1, places)).all()


@compares("d5.3.1", "d5.3.2")
def test_direct_effects_on_the_logits(lesson, hooked, clean, abc, fall, agree):
    """Of every head and every MLP, with all others held. END has the same word in both prompts."""
    keys = [(layer, head) for layer in hooked.layers for head in hooked.heads] + mlps(hooked)
    found = ours(lesson, {key: lesson.direct(selected(lesson, key)) for key in keys})
    for key in keys:
        agree(found[key], fall(held(hooked, clean, parts(abc, key))))
        if key in lesson.to_logits:
            agree(lesson.to_logits[key], found[key])
    nothing = ours(lesson, {"embedding": lesson.direct(at("embed"))})["embedding"]
    assert not nothing.any()
    assert not fall(held(hooked, clean, parts(abc, ("embed", 0)))).any()


@compares("d5.3.3")
def test_what_heads_write_of_names(lesson, hooked, clean, agree):
    """IO and S above the mean of all names, at the clean scale."""
    names, outputs = lesson.tokens_of_names, circuits.head_outputs(lesson.graph)
    for head in (*MOVERS, *EARLY):
        node = index(circuits.direct_logits(lesson.graph, outputs[head]), (-1, names))
        io, s = lesson.above_mean(evaluate(node, lesson.data), lesson.column["IO"], lesson.column["S"])
        logits = hooked.onto_logits(hooked.written(head, clean.z(head)[:, -1]), clean)
        for found, role in ((io, "IO"), (s, "S")):
            own = logits.gather(1, lesson.data[f"token.{role}"][:, None])[:, 0]
            agree(found, own - logits[:, names].mean(1))


@compares("d5.3.4")
def test_attention_and_writing(lesson, hooked, clean, agree):
    """The attention from END to the names, and its correlation with what a head writes of them."""
    rows = torch.arange(len(lesson.data))
    places = {"IO": ["IO"], "S": ["S1", "S2"]}
    for layer, head in MOVERS:
        node = index(find_one(lesson.graph, f"blocks.{layer}.attn.head.{head}.pattern"), -1)
        pattern, theirs = evaluate(node, lesson.data), clean.patterns[layer][:, head, -1]
        written = hooked.onto_logits(hooked.written((layer, head), clean.z((layer, head))[:, -1]), clean)
        attention, seen, writes = {}, {}, {}
        for name, roles in places.items():
            keys = [lesson.data[f"position.{role}"] for role in roles]
            attention[name] = sum(pattern[rows, key] for key in keys)
            seen[name] = sum(theirs[rows, key] for key in keys)
            writes[name] = written[rows, lesson.data[f"token.{name}"]]
            agree(attention[name], seen[name])
        points = [torch.cat([each["IO"], each["S"]]).numpy() for each in (seen, writes)]
        agree(lesson.follows(attention, writes), numpy.corrcoef(*points)[0, 1])


@compares("d5.3.5")
def test_heads_that_attend_to_io_alone(lesson, hooked, clean, agree):
    """A head's output with a pattern of our own is its value at that word."""
    rows, seq = torch.arange(len(lesson.data)), lesson.seq
    to_io = torch.zeros(len(rows), seq, seq)
    to_io[rows, :, lesson.data["position.IO"]] = 1
    forced = placeholder("forced", (seq, seq))
    inputs = lesson.data.columns | {"forced": to_io}
    for layer, head in (*MOVERS, *EARLY):
        found = evaluate(lesson.attending(lesson.graph, (layer, head), forced), inputs)
        value = clean["qkv", layer]["v"][rows, lesson.data["position.IO"], head]
        agree(found, hooked.written((layer, head), value)[:, None].expand_as(found))


@compares("d5.3.6")
def test_what_reaches_the_queries(lesson, hooked, clean, abc, fall, agree):
    """From each earlier head into the movers' queries, and on directly to the logits."""
    to_queries = lesson.into(lesson.direct(lesson.outputs_of(MOVERS)), MOVERS, "q")
    senders = [(layer, head) for layer in (0, 1) for head in hooked.heads]
    found = ours(lesson, {key: to_queries >> lesson.direct(lesson.outputs_of([key])) for key in senders})
    for key in senders:
        arriving = held(hooked, clean, parts(abc, key))
        agree(found[key], fall(down(hooked, clean, [(MOVERS, "q")], arriving)))


@compares("d5.3.1", "d5.3.6")
def test_what_reaches_other_sides(lesson, hooked, clean, abc, fall, agree):
    """From one early head into each side, and the same way written as a chain of direct parts."""
    arriving = held(hooked, clean, parts(abc, EARLY[0]))
    start, last = lesson.direct(lesson.outputs_of(MOVERS)), lesson.direct(lesson.outputs_of(EARLY[:1]))
    for side in "qkv":
        direct = start >> lesson.direct(lesson.inputs_of(MOVERS, side)) >> last
        found = ours(lesson, {1: lesson.into(start, MOVERS, side) >> last, 2: direct})
        theirs = fall(down(hooked, clean, [(MOVERS, side)], arriving))
        agree(found[1], theirs)
        agree(found[2], theirs)


@compares("d5.3.6")
def test_queries_with_all_that_follows(lesson, hooked, clean, abc, fall, agree):
    """After the movers' queries everything reacts; a patch of the whole head changes all its readers."""
    movers = MOVERS[:1]
    for key in EARLY:
        way = lesson.inputs_of(movers, "q") >> lesson.direct(lesson.outputs_of([key]))
        found = ours(lesson, {"onward": way, "whole": lesson.outputs_of([key])})
        arriving = held(hooked, clean, parts(abc, key))
        edits = {("qkv", 1): with_sides(arriving, 1, movers, "q")}
        agree(found["onward"], fall(hooked.see(clean.tokens, clean.mask, edits)))
        agree(found["whole"], fall(replaced(hooked, clean, parts(abc, key))))


@compares("d5.3.7")
@pytest.mark.parametrize("side", ["q", "k", "v", "qkv"])
def test_a_chain_into_a_side(lesson, hooked, clean, abc, fall, agree, side):
    """The side of the last stage is that of the ABC run, with one stage and with two."""
    found = ours(
        lesson,
        {
            1: lesson.chain([(MOVERS, side)]),
            2: lesson.chain([(MOVERS, "q"), (INHIBITION, side)]),
        },
    )
    agree(found[1], fall(down(hooked, clean, [(MOVERS, side)], abc)))
    stages = [(MOVERS, "q"), (INHIBITION, side)]
    agree(found[2], fall(down(hooked, clean, stages, abc)))


@compares("d5.3.7")
def test_what_feeds_the_values(lesson, hooked, clean, abc, fall, agree):
    """Heads, an MLP and the embedding into the values of the second stage."""
    stages = [(MOVERS, "q"), (INHIBITION, "v")]
    way, keys = lesson.chain(stages), [*EARLY, ("mlp", 0), ("embed", 0)]
    found = ours(lesson, {key: way >> lesson.direct(selected(lesson, key)) for key in keys})
    for key in keys:
        arriving = held(hooked, clean, parts(abc, key))
        agree(found[key], fall(down(hooked, clean, stages, arriving)))


@compares("d5.3.7")
def test_heads_through_an_mlp(lesson, hooked, clean, abc, fall, agree):
    """One step further back: an MLP that feeds the values, and the heads that it reads."""
    stages = [(MOVERS, "q"), (INHIBITION, "v")]
    to_mlp = lesson.chain(stages) >> lesson.direct(at("blocks.0.mlp_out"))
    found = ours(lesson, {key: to_mlp >> lesson.direct(lesson.outputs_of([key])) for key in EARLY})
    for key in EARLY:
        reacted = held(hooked, clean, parts(abc, key), react=[("mlp", 0)])
        arriving = held(hooked, clean, {("mlp", 0): part(reacted, ("mlp", 0))})
        agree(found[key], fall(down(hooked, clean, stages, arriving)))


@compares("d5.3.8")
def test_attention_of_early_heads(lesson, hooked, clean, agree):
    """The attention between two words of each prompt, averaged over prompts."""
    data, rows = lesson.data, torch.arange(len(lesson.data))
    s1, s2 = data["position.S1"], data["position.S2"]
    for query, key in ((s2, s1), (s2, s1 + 1), (s1 + 1, s1)):
        asked = lesson.pairs(query, key, lesson.seq)
        found = circuits.attention_to(lesson.graph, data, asked)
        theirs = torch.stack([each[rows, :, query, key] for each in clean.patterns], 1)
        agree(found.mean, theirs.mean(0))
        agree(found.se, theirs.std(0) / len(rows) ** 0.5)


@compares("d5.3.8")
def test_detectors_on_random_tokens(lesson, hooked, agree):
    """Earlier copies, what followed them, and the previous token, on random tokens said twice."""
    tokens = repeated.draw(20, 25, lesson.model.config["d_vocab"], seed=0)["tokens"]
    seen = hooked.see(tokens, torch.ones_like(tokens, dtype=torch.bool))
    patterns = torch.stack(seen.patterns, 1)  # [rows, layer, head, query, key]
    seq = tokens.shape[1]
    same = (tokens[:, :, None] == tokens[:, None]).tril(-1)
    followed = torch.zeros_like(same)
    followed[:, :, 1:] = same[:, :, :-1]
    targets = {
        circuits.duplicate_token: same,
        circuits.prefix_matching: followed.tril(-1),
        circuits.previous_token: torch.eye(seq).roll(-1, 1).tril().bool().expand_as(same),
    }
    for detector, target in targets.items():
        counted = target.any(-1)
        attended = (patterns * target[:, None, None]).sum(-1)
        each = (attended * counted[:, None, None]).sum(-1) / counted.sum(-1)[:, None, None]
        agree(detector(lesson.model).mean, each.mean(0))


@compares("d5.3.8")
def test_groups_whose_signal_mlps_pass_on(lesson, hooked, clean, abc, fall, agree):
    """Early heads into the values, by ways that pass MLPs and no other head."""
    stages = [(MOVERS, "q"), (INHIBITION, "v")]
    found = ours(lesson, {"way": lesson.with_mlps(lesson.chain(stages), lesson.outputs_of(EARLY))})
    arriving = held(hooked, clean, parts(abc, *EARLY), react=mlps(hooked))
    agree(found["way"], fall(down(hooked, clean, stages, arriving)))
    held_still = held(hooked, clean, parts(abc, *EARLY))
    assert not torch.allclose(found["way"], fall(down(hooked, clean, stages, held_still)))


@compares("d5.3.10")
def test_the_fall_by_hand(lesson, hooked, clean, abc, agree):
    """One subtraction and one addition before the final norm."""

    def read(stream):
        """The difference of a stream at END, by the modules of transformers' model."""
        logits = hooked.model.lm_head(hooked.body.ln_f(stream))
        tokens = (lesson.data[f"token.{role}"][:, None] for role in ("IO", "S"))
        io, s = (logits.gather(1, each)[:, 0] for each in tokens)
        return io - s

    for head in MOVERS:
        both = [hooked.written(head, seen.z(head)[:, -1]) for seen in (clean, abc)]
        by_hand = lesson.fall_by_hand(clean["end", 0][:, -1], *both, read)
        agree(ours(lesson, {"way": lesson.direct(lesson.outputs_of([head]))})["way"], by_hand)


def test_a_receiver_reads_its_own_stage_alone(lesson, hooked, clean, abc):
    """The hooks give receivers the sides that arrive, and nothing else: with clean sides nothing changes."""
    sent = through(hooked, clean, clean, MOVERS, "qkv")
    for head in MOVERS:
        assert torch.allclose(sent[head], clean.z(head), atol=1e-12)
    assert not torch.allclose(abc.z(MOVERS[0]), clean.z(MOVERS[0]))
