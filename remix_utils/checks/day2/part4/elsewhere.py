"""Detectors on other models: a survey that says what it could not ask (d2.4.6), and its strongest heads (7)."""

from __future__ import annotations

import contextlib
import io
from tempfile import TemporaryDirectory

import torch

from remix_utils.checks.exercise import Mistake, Wrong, equal, exercise
from remix_utils.errors import RemixError

# --- d2.4.6 -----------------------------------------------------------------------------------------------------------

HERE, GONE = ("digits-a", "digits-b"), "digits-c"


class Refusal(RemixError):
    """What a measure says of a model that it is not made for."""


class Slip(Exception):
    """A fault in a measure."""


def _size(model):
    return sum(weight.numel() for weight in model.weights.values())


def _says_no(model):
    if model.name == HERE[0]:
        raise Refusal("This one has no heads to look at.", fix="leave it.")
    return _size(model)


def _slips(model):
    raise Slip("a fault in the measure")


@exercise("d2.4.6")
def _(answer, seed, reference):
    found, lines = _surveyed(answer, [HERE[0], GONE, HERE[1]], _size)
    _require(found, HERE, "the models before and after one that cannot be loaded")
    _require_line(lines, GONE)
    with TemporaryDirectory() as folder:
        found, lines = _surveyed(answer, [folder, HERE[1]], _size)
        _require(found, HERE[1:], "a folder without a model, and a model")
        _require_line(lines, folder)
    found, lines = _surveyed(answer, [*HERE], _says_no)
    _require(found, HERE[1:], "a model that the measure refuses with a RemixError, and another")
    _require_line(lines, HERE[0])
    try:
        _surveyed(answer, [*HERE], _slips)
    except Slip:
        pass
    else:
        raise Wrong("an error that is no RemixError was swallowed: a fault in your measure would look like a gap.")
    equal(_surveyed(answer, [], _size)[0], {}, "a survey of nothing")
    if reference is not None:
        equal(found, _surveyed(reference, [*HERE], _says_no)[0], "the survey")


def _surveyed(answer, names, measure):
    """What it gives, and the lines that it prints; a refusal that comes through is told."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            found = answer(names, measure)
    except RemixError as refusal:
        raise Wrong(
            f"it stopped at a model that could not be asked ({type(refusal).__name__}): say so, and go on."
        ) from refusal
    if not isinstance(found, dict):
        raise Wrong(f"it gives a {type(found).__name__}, expected a dict from name to what was measured.")
    return found, [line for line in said.getvalue().splitlines() if line.strip()]


def _require(found, names, what):
    if any(found[name] is None for name in found):
        raise Wrong(f"of {what}: a model that could not be asked has an entry None. Leave it out.")
    missing = [name for name in names if name not in found]
    if missing:
        raise Wrong(f"of {what}: {missing[0]} is missing, and it could be asked.")
    if {*found} - {*names}:
        raise Wrong(f"of {what}: there is an entry too many, {min({*found} - {*names})!r}.")
    if any(not isinstance(found[name], int) or found[name] < 100 for name in names):
        raise Wrong(f"of {what}: the entries are not what `measure(model)` gives.")


def _require_line(lines, name):
    about = [line for line in lines if name in line]
    if not about:
        raise Wrong("a model was left out without a word: print its name and the reason.")
    if len(lines) > 1:
        raise Wrong(
            f"there are {len(lines)} lines about one model: print error.fact, which is one, and not the whole error."
        )
    if len(about[0]) <= len(name) + 10:
        raise Wrong("the line gives a name and no reason: print error.fact, too.")


# --- d2.4.7 -----------------------------------------------------------------------------------------------------------


def tables(seed):
    """Scores of few heads and of many, one of which meets the line."""
    numbers = torch.Generator().manual_seed(seed)
    few, many = torch.rand(2, 3, generator=numbers), torch.rand(12, 11, generator=numbers)
    few[0, 2], few[1, 0], few[1, 1] = 0.5, 0.9, 0.1
    return [(few, 0.5), (many, 0.9), (many, 2.0)]


def _strongest(enough=lambda score, least: score >= least, name="{0}.{1}", order=lambda score: -score):
    def heads(scores, least):
        found = [(score, place) for place, score in enumerate(scores.flatten().tolist())]
        found = sorted((pair for pair in found if enough(pair[0], least)), key=lambda pair: order(pair[0]))
        return [name.format(*divmod(place, scores.shape[1])) for _, place in found]

    return heads


def _pairs(scores, least):
    return [tuple(map(int, name.split("."))) for name in _strongest()(scores, least)]


exercise(
    "d2.4.7",
    cases=tables,
    oracle=_strongest(),
    mistakes=[
        Mistake("the heads are in the order of their layers: the best one comes first.", _strongest(order=lambda s: 0)),
        Mistake("the best head comes last: it is to come first.", _strongest(order=lambda score: score)),
        Mistake("a head whose score is exactly `least` is missing: at least means >=.",
                _strongest(lambda score, least: score > least)),
        Mistake("layer and head are exchanged in the names: head 1 of layer 5 is 5.1.", _strongest(name="{1}.{0}")),
        Mistake("these are pairs of numbers: give names, such as \"5.1\".", _pairs),
        Mistake("these are numbers: give names, for 5.1 and 5.10 are two heads.",
                lambda *case: [float(name) for name in _strongest()(*case)]),
        Mistake("these are the heads *below* the line.", _strongest(lambda score, least: score < least)),
        Mistake("all heads are there: only those with at least `least`.", _strongest(lambda score, least: True)),
        Mistake("names begin with a word: \"5.1\" is enough.", _strongest(name="head {0}.{1}")),
    ],
)  # fmt: skip
