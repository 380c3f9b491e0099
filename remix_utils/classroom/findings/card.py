"""What a finding card says, checked, and its form as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from remix_utils.errors import RemixError

FORM = "remix-finding-1"
TEXTS = ("behaviour", "model", "claim", "does_not_show", "refuted_by")
LONGEST = 20_000  # characters of one text; more is no card


class FindingError(RemixError):
    """A card that lacks something, or a file that is no card."""


@dataclass(frozen=True)
class Figure:
    """One measured number with its standard error and what that error is over.

    >>> Figure("logit difference", 4.6, 0.2, over="96 prompts")
    Figure(name='logit difference', value=4.6, se=0.2, over='96 prompts', unit='')
    """

    name: str
    value: float
    se: float
    over: str
    unit: str = ""

    def __post_init__(self):
        require_text("a figure's name", self.name)
        require_text(f"what the error of {self.name!r} is over", self.over)
        for what, number in (("value", self.value), ("error", self.se)):
            if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
                raise FindingError(
                    f"The {what} of {self.name!r} is {number!r}.", fix="give a finite number; 0 for an exact one."
                )
        if self.se < 0:
            raise FindingError(f"The error of {self.name!r} is {self.se}.", fix="give a standard error, 0 or more.")


@dataclass(frozen=True)
class Finding:
    """What was found about a behaviour of a model, for a card that others can check.

    `heads` are those that the claim is about, (layer, head). `figures` are the numbers it rests on. The three texts
    `does_not_show`, `refuted_by` and `unexplained` say how far the evidence goes; only the last may be empty.

    >>> from remix_utils.classroom.findings import Figure, Finding
    >>> found = Finding(
    ...     behaviour="induction on names", model="smollm2", claim="Head 18.6 completes a repeated name.",
    ...     heads=[(18, 6)], figures=[Figure("share recovered", 0.62, 0.03, over="48 prompts")],
    ...     does_not_show="That no other head does.", refuted_by="A repeat that is completed without it.",
    ... )
    >>> found.heads, Finding.read(found.json()) == found
    (((18, 6),), True)

    Raises FindingError for a missing text, no figure, and heads that are not pairs of whole numbers.
    """

    behaviour: str
    model: str
    claim: str
    does_not_show: str
    refuted_by: str
    figures: tuple[Figure, ...]
    heads: tuple[tuple[int, int], ...] = ()
    unexplained: str = ""
    by: tuple[str, ...] = field(default=())

    def __post_init__(self):
        for name in TEXTS:
            require_text(name.replace("_", " "), getattr(self, name))
        for name in ("figures", "heads", "by"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "heads", tuple(map(_head, self.heads)))
        if not self.figures:
            raise FindingError("The card has no figure.", fix="give the numbers that the claim rests on.")
        for each in self.figures:
            if not isinstance(each, Figure):
                raise FindingError(f"{each!r} is no Figure.", fix="write Figure(name, value, se, over=...).")
        for person in self.by:
            require_text("a name in `by`", person)
        if self.unexplained:
            require_text("unexplained", self.unexplained)

    def json(self) -> str:
        """Returns the card as JSON that may stand inside an HTML page: no "<" is left in it."""
        text = json.dumps({"form": FORM, **asdict(self)}, ensure_ascii=False, indent=1)
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    @classmethod
    def read(cls, text: str) -> Finding:
        """Returns the finding that JSON holds; FindingError says what is wrong with it."""
        try:
            held = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise FindingError("The card's data are no JSON.", fix="save the card again.") from problem
        if not isinstance(held, dict) or held.pop("form", None) != FORM:
            raise FindingError(f"The data are not of the form {FORM!r}.", fix="save the card again.")
        try:
            return cls(**{**held, "figures": [Figure(**each) for each in held["figures"]]})
        except (TypeError, KeyError) as problem:
            raise FindingError(f"The card's data do not fit: {problem}.", fix="save the card again.") from problem


def _head(head: Any) -> tuple[int, int]:
    pair = tuple(head) if isinstance(head, list | tuple) else ()
    whole = all(type(number) is int and number >= 0 for number in pair)
    if len(pair) != 2 or not whole:
        raise FindingError(f"{head!r} is no head.", fix="write heads as (layer, head), as in (18, 6).")
    return pair


def require_text(what: str, text: object) -> None:
    """Raises FindingError where a text is missing, or longer than any that is read."""
    if not isinstance(text, str) or not text.strip():
        raise FindingError(f"The card lacks {what}.", fix="write it; a sentence is enough.")
    if len(text) > LONGEST:
        raise FindingError(
            f"{what.capitalize()} has {len(text):,} characters; at most {LONGEST:,} are kept.", fix="shorten it."
        )


DATA = re.compile(r'<script type="application/json" id="remix-finding">(.*?)</script>', re.DOTALL)


def from_page(page: str) -> Finding:
    """Returns the finding that a card's page holds, without running anything of the page.

    Raises FindingError for a page without one, or with several.
    """
    found = DATA.findall(page)
    if len(found) != 1:
        raise FindingError(f"The page holds {len(found)} findings.", fix="take a page that save_card wrote.")
    return Finding.read(found[0])


def slug(text: str) -> str:
    """Returns a text as part of a file's name.

    >>> slug("Greater-than: 17 > 32!"), slug("???")
    ('greater-than-17-32', 'finding')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "finding"


def counted_heads(heads: Mapping | tuple) -> str:
    """Returns heads as the field writes them.

    >>> counted_heads(((18, 6), (17, 4)))
    '18.6, 17.4'
    """
    return ", ".join(f"{layer}.{head}" for layer, head in heads)
