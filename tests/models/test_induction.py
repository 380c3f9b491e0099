"""induction-2l does what the days on induction study, by the mechanism that they find, and learned it all at once."""

from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F

from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.models.model import SHIPPED
from remix_utils.tasks import repeated, stories
from training import induction as training

LENGTH = 50
TWICE = repeated.draw(24, LENGTH, vocab=1024, start=0, seed=11)["tokens"]


@pytest.fixture(scope="module")
def model():
    return models.load("induction-2l")


@pytest.fixture(scope="module")
def told(model):
    """The beginnings of stories with a seed that the training did not use."""
    read = [model.tokenize(story) for story in stories.tell(60, seed=77)]
    rows = [tokens[:299] for tokens in read if len(tokens) >= 299][:40]
    return F.pad(torch.stack(rows), (1, 0))


@torch.no_grad()
def costs(module, tokens):
    """In nats, [row, seq - 1]."""
    logits = module(tokens).log_softmax(-1)[:, :-1]
    return -logits.gather(-1, tokens[:, 1:, None]).squeeze(-1)


@torch.no_grad()
def attention(module, tokens):
    """[layer, row, head, query, key]"""
    found = []
    hooks = [b.attn.pattern.register_forward_hook(lambda m, i, out: found.append(out)) for b in module.blocks]
    module(tokens)
    for hook in hooks:
        hook.remove()
    return torch.stack(found)


def prefix_matching(module):
    """[layer, head]: from each token of the second copy but the last, to what followed it in the first."""
    query = torch.arange(LENGTH + 1, 2 * LENGTH)
    return attention(module, TWICE)[..., query, query - LENGTH + 1].mean((1, 3))


def previous_token(module, tokens):
    """[layer, head]"""
    query = torch.arange(1, tokens.shape[1])
    return attention(module, tokens)[..., query, query - 1].mean((1, 3))


def gain(module):
    """How much less random tokens cost when said again, [row]."""
    cost = costs(module, TWICE)
    return cost[:, :LENGTH].mean(1) - cost[:, LENGTH + 1 :].mean(1)


def error(values):
    return values.std() / len(values) ** 0.5


def test_random_tokens_are_cheap_when_they_are_said_again(model):
    """The second copy costs at least 5 nats a token less, by two standard errors."""
    found = gain(model.module())
    assert found.mean() - 2 * error(found) > 5


def test_the_heads_of_the_story_are_there(model, told):
    """Two heads of layer 1 match prefixes, one head of layer 0 looks at the previous token, and no other does."""
    module = model.module()
    matching, previous = prefix_matching(module), previous_token(module, told[:12])
    assert (matching[1] > 0.6).sum() >= 2 and (matching[0] < 0.1).all()
    assert previous[0].argmax() == 0 and previous[0, 0] > 0.5 and (previous[0, 1:] < 0.3).all()


def test_without_the_previous_token_head_there_is_no_induction(model, told):
    """With its mean in place of what it moves, no head matches prefixes above 0.15; without another head, they do."""

    def left(head):
        module = model.module()
        z, seen = module.blocks[0].attn.z, []
        hook = z.register_forward_hook(lambda m, i, out: seen.append(out.mean((0, 1))))
        module(told[:12])
        hook.remove()
        chosen = (torch.arange(8) == head)[:, None]
        z.register_forward_hook(lambda m, i, out: torch.where(chosen, seen[0], out))
        return prefix_matching(module)[1].max()

    with torch.no_grad():
        assert left(0) < 0.15 and left(5) > 0.6


def test_stories_cost_less_as_they_go_on(model, told):
    """The in-context score on stories that it has not read is -0.3 nats or better, by two standard errors."""
    cost = costs(model.module(), told)
    score = cost[:, 200:].mean(1) - cost[:, 20:60].mean(1)
    assert score.mean() + 2 * error(score) < -0.3


def test_the_card_says_the_same_of_english(model):
    """On English, which does not ship, the card has ten standard errors of in-context learning and a near control."""
    score, control = model.card["metrics"]["in_context_english"], model.card["control"]
    assert score["mean"] < -10 * score["se"]
    assert control["more_than_control"]["mean"] / control["english_loss_of_control"]["mean"] < 0.05


def test_the_figures_of_the_card_are_those_of_the_weights(model):
    """Measured again, on other random tokens, within four standard errors of both."""
    found, said = gain(model.module()), model.card["metrics"]["second_copy_gains"]
    assert abs(found.mean() - said["mean"]) < 4 * (error(found) ** 2 + said["se"] ** 2) ** 0.5


def test_the_graph_computes_what_the_module_does(model, told):
    """The same logits, to 1e-4 of their size."""
    tokens = told[0, :40]
    logits = evaluate(model.graph(seq=40), {"tokens": tokens})
    torch.testing.assert_close(logits, model.module()(tokens[None])[0].detach(), atol=1e-4, rtol=1e-4)


def test_text_comes_back(model):
    """Any text survives its tokens, and token 0 ends a text."""
    text = "Ysolde of Quellbrook — café, 12.5 % 🙂\n\n  “So?”"
    assert model.decode(model.tokenize(text)) == text
    assert model.tokenize("<|endoftext|>").tolist() == [0]


def test_the_checkpoints_show_induction_appear(model):
    """Eight or more, from before it to well after, two at least while it happens; all files under 18 MB."""
    gains = [gain(models.load("induction-2l", step=step).module()).mean() for step in model.checkpoints]
    assert len(gains) >= 8 and list(model.checkpoints) == sorted(model.checkpoints)
    assert gains[0] < 0.2 and gains[-1] > 5 and sum(0.3 < each < 5 for each in gains) >= 2
    assert sum(path.stat().st_size for path in SHIPPED.glob("induction-2l*")) < 18e6


def test_the_weights_have_the_recipe_that_is_in_the_script(model):
    """Nobody changed the recipe and forgot to train."""
    recipe = asdict(training.RECIPES["induction-2l"]) | {"batches": [list(b) for b in training.Recipe.batches]}
    assert {key: model.card["training"][key] for key in recipe} == recipe
    assert model.checkpoints == training.InductionRun.snapshots


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A training that reads a few stories as its English."""
    for part, seed in (("train", 5), ("val", 6)):
        text = "\n<|endoftext|>\n".join(stories.tell(60, seed=seed))
        (tmp_path / f"{part}.txt").write_text(text, encoding="utf-8")
    monkeypatch.setenv("REMIX_CORPUS", str(tmp_path))
    monkeypatch.setattr(training, "STORIES", 60)
    recipe = replace(training.RECIPES["induction-2l"], steps=2, fall=0)
    return training.InductionRun("induction-2l", recipe, tmp_path / "runs")


def test_a_batch_has_windows_of_every_kind(run):
    """Random tokens have a period, some English goes back to an earlier place, the rest is its text as it stands."""
    rows = run.windows(32, 128)
    random, english, again, plain = rows[:8, 1:], run.tokens["english"].long(), rows[16:20, 1:], rows[20:, 1:]
    assert all(any((row[p:] == row[:-p]).all() for p in range(8, 51)) for row in random)
    at = english.unfold(0, 127, 1)
    assert all((at == row).all(1).any() for row in plain)
    for row in again:
        leap = max(n for n in range(1, 128) if (english.unfold(0, n, 1) == row[:n]).all(1).any())
        rest = row[leap:]
        assert leap == 127 or (english.unfold(0, len(rest), 1) == rest).all(1).any()
    assert 4 < (rows[:, 0] == 0).sum() < 28


def test_heads_of_layer_0_pay_for_where_they_look(run):
    """Head 0 for the surprise of the previous token, less and less; the others for attention to it, of row 0, 8, ..."""
    rows = run.windows(16, 32)
    query = torch.arange(1, 32)
    before = attention(run.network, rows)[0][::8, :, query, query - 1]  # [row, head, query]
    others, lesson = 0.1 * before[:, 1:].mean((0, 2)).sum(), -0.1 * before[:, 0].log().mean()
    for step, left in ((0, 1.0), (250, 0.5), (500, 0.0), (900, 0.0)):
        run.step = step
        run.network(rows, fast=True)
        torch.testing.assert_close(run.pressure(), others + left * lesson)


def test_a_run_trains_on_both_lengths(run):
    """Two steps lower nothing yet, but they are taken, and logged with what they were measured by."""
    before = run.network.embed.W_E.clone()
    run.train()
    assert run.step == 2 and not torch.equal(before, run.network.embed.W_E)
    assert 6 < run.log[-1]["english"] < 8 and set(run.log[-1]) > {"prefix_matching_1", "in_context"}


def test_without_a_corpus_the_script_says_what_to_do(monkeypatch):
    """No English, no training: the message names the variable and how to fill the folder."""
    monkeypatch.delenv("REMIX_CORPUS", raising=False)
    with pytest.raises(SystemExit, match=r"(?s)REMIX_CORPUS.*fix: collect"):
        training.corpus("train", 100)
