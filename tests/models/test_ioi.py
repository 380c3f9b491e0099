"""The two IOI models do the task on names and templates that they were not trained on, by mechanisms that differ."""

from dataclasses import asdict, replace

import pytest
import torch

from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import ioi
from training import ioi as training
from training import ioi_scores as scores

NAMES = ("ioi-small", "ioi-small-b")
PAD = ioi.TOKENIZER.encode("[pad]")[0]
PROMPTS = ioi.prompts(300, seed=21, part="held-out")


@pytest.fixture(scope="module", params=NAMES)
def model(request):
    return models.load(request.param)


@torch.no_grad()
def margins(module, prompts):
    """The logit of the IO less that of the subject, [row], with padding on the right, which nothing sees."""
    data = ioi.dataset(prompts, pad=PAD, side="right")
    rows = torch.arange(len(data))
    logits = module(data["tokens"])[rows, data["position.END"]]
    return logits[rows, data["token.IO"]] - logits[rows, data["token.S"]]


def outputs(module, prompts):
    """What the heads move, [row, seq, head, d_head] of each layer."""
    found = []
    hooks = [block.attn.z.register_forward_hook(lambda m, i, out: found.append(out)) for block in module.blocks]
    margins(module, prompts)
    for hook in hooks:
        hook.remove()
    return found


def lost(module, prompts, places, direct=False):
    """By head, what each prompt's margin loses when it sees other people, [row]; with `direct`, no other head moves."""
    clean, other = outputs(module, prompts), outputs(module, prompts.abc(seed=4))
    whole, found = margins(module, prompts), {}
    for layer, head in places:

        def put(at, layer=layer, head=head):
            def moved(m, i, out):
                new = (clean[at] if direct else out).clone()
                if at == layer:
                    new[:, :, head] = other[at][:, :, head]
                return new

            return module.blocks[at].attn.z.register_forward_hook(moved)

        hooks = [put(at) for at in range(len(module.blocks)) if direct or at == layer]
        found[layer, head] = whole - margins(module, prompts)
        for hook in hooks:
            hook.remove()
    return found


def error(values):
    return values.std() / len(values) ** 0.5


def heads(model):
    return [(layer, head) for layer in range(model.config["n_layers"]) for head in range(model.config["n_heads"])]


@pytest.fixture(scope="module")
def costs(model):
    """By head, the share of the margin that it costs in all and directly, with the standard errors: [4]."""
    module, whole = model.module(), margins(model.module(), PROMPTS).mean()
    ways = [lost(module, PROMPTS, heads(model), direct) for direct in (False, True)]
    return {
        head: [value for way in ways for value in ((way[head] / whole).mean().item(), error(way[head] / whole).item())]
        for head in heads(model)
    }


@pytest.mark.parametrize(("part", "least"), [("held-out", 0.99), ("unseen", 0.90)])
def test_the_io_is_ahead_of_the_subject(model, part, least):
    """On pairs of names that a template was not trained with, and on templates that were not, by a standard error."""
    margin = margins(model.module(), ioi.prompts(2000, seed=22, part=part))
    right = (margin > 0).double()
    assert right.mean() - error(right) > least
    assert margin.mean() - 2 * error(margin) > 2 and margin.mean() + 2 * error(margin) < 8


def test_three_heads_matter_and_one_only_through_others(costs):
    """Each alone costs 5 % of the margin and more; one of them would not, if only its direct way were changed."""
    matter = [direct + 2 * direct_se for cost, se, direct, direct_se in costs.values() if cost - 2 * se > 0.05]
    assert len(matter) >= 3 and min(matter) < 0.05


def test_the_card_says_what_the_heads_are_good_for(model, costs):
    """Its shares, found in the graph by path patching, are those of hooks on other prompts."""
    said = model.card["metrics"]["by_head"]
    for (layer, head), (cost, se, direct, direct_se) in costs.items():
        assert said["total"][layer][head] == pytest.approx(cost, abs=0.03 + 4 * se)
        assert said["direct"][layer][head] == pytest.approx(direct, abs=0.03 + 4 * direct_se)


def test_the_card_says_how_good_the_model_is(model):
    """Its figures are within four standard errors of those on other prompts."""
    for part, name in (("held-out", "held_out"), ("unseen", "unseen")):
        said, found = model.card["metrics"][name], scores.figures(margins(model.module(), ioi.prompts(800, 23, part)))
        for figure in ("io_over_s", "logit_difference"):
            far = (said[f"{figure}_se"] ** 2 + found[f"{figure}_se"] ** 2) ** 0.5
            assert abs(said[figure] - found[figure]) <= 4 * far + 1e-3, (part, figure)


def test_the_graph_computes_what_the_module_does(model):
    """The same logits for a prompt that is padded and one that is not, to 1e-4."""
    data = ioi.dataset(PROMPTS[:20], pad=PAD, side="right")
    logits = evaluate(model.graph(data["tokens"].shape[1]), {"tokens": data["tokens"]})
    torch.testing.assert_close(logits, model.module()(data["tokens"]).detach(), atol=1e-4, rtol=1e-4)


def test_every_prompt_fits(model):
    """The longest prompt with a sentence in front, and its answer, is no longer than the model reads."""
    longest = max(len(model.tokenize(text)) for text in ioi.prompts(500, seed=5).again("IO").texts)
    assert longest < model.config["n_ctx"] and model.decode(model.tokenize(PROMPTS.texts[0])) == PROMPTS.texts[0]


def test_the_weights_have_the_recipe_that_is_in_the_script(model):
    """Nobody changed a recipe, or a word of the task, and forgot to train."""
    recipe = asdict(training.RECIPES[model.name])
    recipe["lesson_heads"] = list(recipe["lesson_heads"])
    assert {key: model.card["training"][key] for key in recipe} == recipe
    assert model.card["vocabulary"] == list(ioi.VOCABULARY)


TINY = replace(training.RECIPES["ioi-small"], steps=6, batch=8, sentences=200, rise=2, fall=2)


def test_scores_are_those_of_hooks():
    """Of an untrained network with three layers: margins, and each head's share of them in all and directly."""
    config = TransformerConfig(n_layers=3, n_heads=2, d_model=16, n_ctx=31, d_vocab=len(ioi.VOCABULARY))
    network, prompts = Transformer(config, seed=1), PROMPTS[:12]
    model = models.transformer.model("fresh", network.state_dict(), config, {}, ioi.TOKENIZER)
    torch.testing.assert_close(scores.margins(network, prompts), margins(network, prompts))
    found, whole = scores.effects(model, prompts, seed=4), margins(network, prompts).mean()
    for way, direct in (("total", False), ("direct", True)):
        for (layer, head), cost in lost(network, prompts, heads(model), direct).items():
            torch.testing.assert_close(found[way][layer, head], cost.mean() / whole, atol=1e-3, rtol=1e-3)


def test_lessons_are_the_surprise_of_looking_at_the_answer(tmp_path):
    """-log p of heads 0 to 2 of the last layer, from the word before the answer to where it was named first."""
    run = training.IOIRun("ioi-small", TINY, tmp_path)
    batch, seen = run.data[:8], []
    run.network.blocks[-1].attn.pattern.register_forward_hook(lambda m, i, out: seen.append(out))
    run.network(batch["tokens"])
    expected = []
    for row, end in enumerate(batch["position.answer"].tolist()):
        named = batch["tokens"][row].tolist().index(batch["token.answer"][row])
        expected.append(-seen[0][row, :3, end - 1, named].log().mean())
    torch.testing.assert_close(run.surprise(batch), torch.stack(expected).mean())


def test_a_little_noise_names_the_subject(tmp_path):
    """With noise 1 every sentence ends with whoever was named last; nothing else changes, and the data does not."""
    run = training.IOIRun("ioi-small", replace(TINY, noise=1.0, families={"mixed": 1.0}), tmp_path)
    data, rows = run.data, torch.arange(len(run.data))
    noisy = run.with_noise(data["tokens"], data["position.answer"])
    names = {ioi.TOKENIZER.encode(name)[0] for name in ioi.NAMES}
    for row, end in enumerate(data["position.answer"].tolist()):
        assert noisy[row, end] == [token for token in data["tokens"][row, :end].tolist() if token in names][-1]
    assert (noisy != data["tokens"]).sum() == len(rows)
    assert torch.equal(data["tokens"][rows, data["position.answer"]], data["token.answer"])


def test_heads_are_silent_in_training_only(tmp_path):
    """With dropout near 1 nothing is moved in training, and all as ever when it is measured."""
    run = training.IOIRun("ioi-small", replace(TINY, dropout=0.999), tmp_path)
    tokens, fresh = run.data["tokens"][:4], Transformer(run.network.config, seed=None)
    fresh.load_state_dict(run.network.state_dict())
    assert not torch.allclose(run.network(tokens), fresh(tokens), atol=1e-3)
    torch.testing.assert_close(run.network.eval()(tokens), fresh(tokens))


@pytest.mark.parametrize("name", NAMES)
def test_a_training_goes_on_where_it_was(tmp_path, name):
    """The weights are those of one run, whatever is random in it."""
    tiny = replace(training.RECIPES[name], steps=6, batch=8, sentences=200, rise=2, fall=2)
    whole = training.IOIRun(name, tiny, tmp_path / "whole")
    whole.train()
    broken = training.IOIRun(name, tiny, tmp_path / "broken")
    for _ in range(3):
        broken.update()
    broken.save()
    again = training.IOIRun(name, tiny, tmp_path / "broken")
    assert again.resume() and again.step == 3
    again.train()
    for key, weight in whole.network.state_dict().items():
        assert torch.equal(weight, again.network.state_dict()[key]), key


def test_attention_is_where_it_is_called(model):
    """From the end to each name and to the object's article, and from S2 to S1: the means of hooked patterns."""
    module, seen, data = model.module(), [], ioi.dataset(PROMPTS[:40], pad=PAD, side="right")
    for block in module.blocks:
        block.attn.pattern.register_forward_hook(lambda m, i, out: seen.append(out))
    module(data["tokens"])
    rows, at = torch.arange(40), {**data.columns, "position.article": data["position.object"] - 1}
    for name, found in scores.attention(model, PROMPTS[:40]).items():
        query, key = (at[f"position.{place}"] for place in name.split(" to "))
        expected = torch.stack([pattern[rows, :, query, key].mean(0) for pattern in seen])
        torch.testing.assert_close(found, expected.detach(), atol=1e-4, rtol=1e-4)


def test_they_do_it_in_different_ways():
    """In one, heads fetch the name where it was said; in the other, a head fetches it from the object's article."""
    found = {name: scores.attention(models.load(name), PROMPTS[:100]) for name in NAMES}
    direct = {name: torch.tensor(models.load(name).card["metrics"]["by_head"]["direct"]) for name in NAMES}
    movers = (found["ioi-small"]["END to IO"] > 0.9) & (direct["ioi-small"] > 0.2)
    assert movers.sum() == 3 and (found["ioi-small"]["END to article"][direct["ioi-small"] > 0.05] < 0.1).all()
    best = direct["ioi-small-b"].argmax()
    assert found["ioi-small-b"]["END to article"].flatten()[best] > 0.8
    assert all((found["ioi-small-b"][f"END to {name}"].flatten()[best] < 0.1) for name in ("IO", "S1", "S2"))
