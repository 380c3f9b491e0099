"""Day 5, part 1, beside hooks: the metric of the task."""

import torch

from remix_utils import evaluate
from remix_utils.tasks import ioi
from tests.parity.exercises import compares

LESSON = "part1_task"


def logits_at_end(hooked, lesson, prompts):
    """The logits of transformers' model at the last word, for prompts of different lengths."""
    data = ioi.dataset(prompts, lesson.encode, pad=0)
    assert not data["mask"].all()
    return hooked.see(data["tokens"], data["mask"]).logits[:, -1]


def names_apart(logits, data):
    rows = torch.arange(len(logits))
    return logits[rows, data["token.IO"]] - logits[rows, data["token.S"]]


@compares("d5.1.4")
def test_the_logit_difference(lesson, hooked, agree):
    """IO minus S at END, on prompts that are padded at the left."""
    theirs = names_apart(logits_at_end(hooked, lesson, lesson.clean), lesson.data)
    agree(lesson.logit_difference(evaluate(lesson.graph, lesson.data), lesson.data), theirs)
    agree(evaluate(lesson.difference, lesson.data), theirs)


@compares("d5.1.7")
def test_task_and_preference(lesson, hooked, agree):
    """The same two logits on swapped prompts and on ABC prompts."""
    answers = {name: lesson.data[name] for name in ("token.IO", "token.S")}
    ours, theirs = [], []
    for prompts in (lesson.clean, lesson.clean.swap("IO", "S"), lesson.clean.abc()):
        data = ioi.dataset(prompts, lesson.encode, pad=0)
        ours.append(evaluate(lesson.difference, data.columns | answers))
        theirs.append(names_apart(logits_at_end(hooked, lesson, prompts), lesson.data))
        agree(ours[-1], theirs[-1])
    task, preference = lesson.task_and_preference(ours[0], ours[1])
    agree(task, theirs[0] / 2 - theirs[1] / 2)
    agree(preference, theirs[0] / 2 + theirs[1] / 2)


@compares("d5.1.8")
def test_other_metrics(lesson, hooked, agree):
    """The probability of an answer, and how often it's among the first of the vocabulary."""
    logits = logits_at_end(hooked, lesson, lesson.clean)
    best = logits.argsort(-1, descending=True)[:, :4]
    answers = torch.where(torch.arange(len(logits)) % 3 == 0, best[:, 0], best[:, 3])
    ours = lesson.other_metrics(evaluate(lesson.graph, lesson.data)[:, -1], answers)
    chances = logits.exp() / logits.exp().sum(-1, keepdim=True)
    agree(ours[0], chances[torch.arange(len(logits)), answers].mean())
    assert ours[1:] == ((answers == best[:, 0]).double().mean().item(), 1.0)
