"""Six ready behaviours: prompts for each, of which a tokenizer must have the words as single tokens."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from remix_utils.errors import DataError, nearest
from remix_utils.tasks.behaviours.prompt import Prompt, dataset, next_token
from remix_utils.tasks.ioi import prompt as ioi
from remix_utils.tasks.ioi.encoding import Encode, numbers_of
from remix_utils.tasks.ioi.vocabulary import (
    AGAIN,
    NAMES,
    OBJECTS,
    PLACES,
    SUBJECT_TEMPLATES,
    TEMPLATES,
    TRAIN_TEMPLATES,
)
from remix_utils.tasks.stream import Stream

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
YEAR = "The year {} was quiet. "


def prompts(behaviour: str, encode: Encode, each: int, seed: int = 0, facts: int | None = None) -> list[Prompt]:
    """Draws `each` prompts of every template of a ready behaviour, for a tokenizer.

    "greater-than": a later year than the one in the text (Hanna et al. 2023); "docstring": the next
    argument of a function (Heimersheim and Janiak 2023); "gender": he or she, for a name; "induction":
    the name that followed before; "subject": the name that was mentioned twice; "mentioned": a name
    of the sentence, and not another one. With `facts`, each template has at most so many different
    words as facts, so that rows with the same fact can be exchanged; digits and genders are few anyway.

    >>> from remix_utils.tasks.ioi.vocabulary import TOKENIZER
    >>> prompt = prompts("induction", TOKENIZER.encode, each=1, seed=1)[0]
    >>> prompt.text, prompt.right
    ('After Jane, Jessica, Carl, Elizabeth, Angela, Jane,', (' Jessica',))

    Raises DataError for an unknown behaviour, fewer than one prompt, and a tokenizer that cuts the words.
    """
    if behaviour not in BEHAVIOURS:
        known = nearest(behaviour, BEHAVIOURS)
        raise DataError(f"There is no ready behaviour {behaviour!r}; {known}.", fix="write Prompts of your own.")
    if each < 1 or (facts is not None and facts < 1):
        raise DataError(f"{each} prompts with {facts} facts were asked for.", fix="ask for at least one of each.")
    templates, draw = BEHAVIOURS[behaviour]
    found = []
    for template in range(templates):
        stream = Stream("behaviour", behaviour, seed, template)
        words = Words(encode, None if facts is None else (template * facts, facts))
        found += [draw(words, stream, template) for _ in range(each)]
    return found


def ready(encode: Encode, longest: int | None = None) -> tuple[str, ...]:
    """Returns the names of the ready behaviours that a tokenizer can read, in at most `longest` tokens.

    >>> from remix_utils.tasks.ioi.vocabulary import TOKENIZER
    >>> ready(TOKENIZER.encode)
    ('mentioned', 'induction', 'subject')
    """
    found = []
    for name in BEHAVIOURS:
        try:
            data = dataset(prompts(name, encode, each=3), encode)
        except DataError:
            continue
        if longest is None or data["tokens"].shape[1] <= longest:
            found.append(name)
    return tuple(found)


class Words:
    """The words that a tokenizer has as single tokens, of which a template may be given a few."""

    def __init__(self, encode: Encode, few: tuple[int, int] | None):
        self.encode, self.few = encode, few

    def single(self, kind: str, among: Sequence[str], before: str = "After") -> list[str]:
        """Returns the words that are one token after a space; DataError for fewer than four."""
        found = [word for word in among if self._is_single(before, f" {word}")]
        if len(found) < 4:
            raise DataError(
                f"{len(found)} of {len(among)} {kind} are single tokens; at least 4 are needed.",
                fix="choose a behaviour whose words this tokenizer has.",
            )
        return found

    def facts(self, among: Sequence[str]) -> list[str]:
        """Returns the words that may be the fact of a template's prompts."""
        if self.few is None or self.few[1] >= len(among):
            return list(among)
        start, count = self.few
        return [among[(start + place) % len(among)] for place in range(count)]

    def _is_single(self, before: str, word: str) -> bool:
        try:
            next_token(self.encode, before, word)
        except DataError:
            return False
        return True


def greater_than(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a prompt about two years, whose counterfactual begins in the year 01 of its century."""
    form = WORDS["years"][template]
    century = str(11 + stream.below(7))
    tens = str(2 + stream.below(7))
    begin = f"{century}{tens}{2 + stream.below(8)}"
    noun = stream.choose(words.single("nouns", WORDS["nouns"], before="The"))

    def text(year: str) -> str:
        return form.format(noun=noun, begin=year, century=century)

    digits, pairs = [str(k) for k in range(10)], [f"{k:02}" for k in range(100)]
    in_digits = len(numbers_of(words.encode, text(begin) + "32")) > len(numbers_of(words.encode, text(begin))) + 1
    fact, endings = (tens, digits) if in_digits else (begin[2:], pairs)
    right = tuple(end for end in endings if (end >= fact if in_digits else end > fact))
    return Prompt(
        text(begin), text(f"{century}01"), right, tuple(end for end in endings if end not in right), fact, template,
        YEAR.format(f"{century}01"), YEAR.format(begin),
    )  # fmt: skip


def docstring(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a function with a docstring that lists its arguments, whose counterfactual has another third one."""
    arguments = words.single("arguments", WORDS["arguments"], before="(self,")
    third = stream.choose(words.facts(arguments))
    rest = stream.choose_several([word for word in arguments if word != third], 5)
    (first, second, last, other, function) = rest

    def text(argument: str) -> str:
        return WORDS["functions"][template].format(
            function=function, first=first, second=second, third=argument, last=last
        )

    wrong = tuple(f" {word}" for word in (first, second, last))
    fronts = [f"# the {word}\n" for word in (last, third)]
    return Prompt(text(third), text(other), (f" {third}",), wrong, third, template, *fronts)


def gender(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a sentence about one person, whose counterfactual is about a person of the other gender."""
    kinds = {kind: words.single("names", WORDS[kind]) for kind in ("he", "she")}
    kind = stream.choose(("he", "she"))
    wrong = "she" if kind == "he" else "he"
    name, same = stream.choose_several(kinds[kind], 2)
    other, misleading = stream.choose_several(kinds[wrong], 2)
    form = WORDS["friends"][template]
    return Prompt(
        form.format(name=name), form.format(name=other), (f" {kind}",), (f" {wrong}",), kind, template,
        AGAIN.format(name=misleading), AGAIN.format(name=same),
    )  # fmt: skip


def induction(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a list of names that begins again, whose counterfactual has another name at the place reached."""
    names = words.single("names", NAMES)
    fact = stream.choose(words.facts(names))
    *listed, other = stream.choose_several([name for name in names if name != fact], 5)
    place = template + 1  # how many names of the list come again

    def text(name: str) -> str:
        return f"After {', '.join([*listed[:place], name, *listed[place:], *listed[:place]])},"

    wrong = [*listed[place:], *listed[: place - 1], other][:3]
    fronts = [f"After {listed[place - 1]}, {name}, " for name in (wrong[0], fact)]
    return Prompt(text(fact), text(other), (f" {fact}",), tuple(f" {name}" for name in wrong), fact, template, *fronts)


def subject(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a sentence that ends with its subject, which the counterfactual gives to the other person."""
    names = words.single("names", NAMES)
    allowed = words.facts(names) if words.few is None or words.few[1] > 1 else names
    (clean,) = ioi.prompts(1, stream.below(2**32), templates=[SUBJECT_TEMPLATES[template]], names=allowed)
    other = ioi.Prompts((clean,)).flip("S2", to="IO")[0]
    return Prompt(
        clean.text, other.text, (f" {clean.S1}",), (f" {clean.IO}",), clean.S1, template,
        AGAIN.format(name=clean.IO), AGAIN.format(name=clean.S1),
    )  # fmt: skip


def mentioned(words: Words, stream: Stream, template: int) -> Prompt:
    """Draws a sentence about three people, in whose counterfactual another name stands for the first."""
    names = words.single("names", NAMES)
    first = stream.choose(words.facts(names))
    second, third, other = stream.choose_several([name for name in names if name != first], 3)
    objects = {"place": stream.choose(PLACES), "object": stream.choose(OBJECTS)}

    def text(name: str) -> str:
        return TEMPLATES[template].format(first=name, second=second, subject=third, **objects)

    fronts = [AGAIN.format(name=name) for name in (other, first)]
    return Prompt(text(first), text(other), (f" {first}",), (f" {other}",), first, template, *fronts)


Draw = Callable[[Words, Stream, int], Prompt]
BEHAVIOURS: dict[str, tuple[int, Draw]] = {
    "greater-than": (len(WORDS["years"]), greater_than),
    "docstring": (len(WORDS["functions"]), docstring),
    "gender": (len(WORDS["friends"]), gender),
    "mentioned": (TRAIN_TEMPLATES, mentioned),
    "induction": (4, induction),
    "subject": (len(SUBJECT_TEMPLATES), subject),
}
