"""Prompts of every template in both orders, as many of each: what a figure about the task is measured on."""

from __future__ import annotations

from collections.abc import Sequence

from remix_utils.tasks.ioi.choices import checked_words
from remix_utils.tasks.ioi.prompt import ORDERS, Prompts, prompts
from remix_utils.tasks.ioi.vocabulary import NAMES, OBJECTS, PLACES, TEMPLATES


def balanced(
    each: int,
    seed: int = 0,
    templates: Sequence[str] = TEMPLATES,
    names: Sequence[str] = NAMES,
    places: Sequence[str] = PLACES,
    objects: Sequence[str] = OBJECTS,
) -> Prompts:
    """Draws `each` prompts of every template in each of the two orders: 30 for each of 15 templates.

    Each template and order has a stream of its own, which `seed` chooses.

    >>> from remix_utils.tasks import ioi
    >>> len(ioi.balanced(2)), [prompt.order for prompt in ioi.balanced(1, templates=ioi.TEMPLATES[:2])]
    (60, ['ABBA', 'BABA', 'ABBA', 'BABA'])

    Raises DataError as `prompts` does.
    """
    templates = checked_words("templates", templates)
    count = 2 * len(templates)
    rows = [
        row
        for number, template in enumerate(templates)
        for place, order in enumerate(ORDERS)
        for row in prompts(
            each,
            seed * count + 2 * number + place,
            order=order,
            templates=[template],
            names=names,
            places=places,
            objects=objects,
        )
    ]
    return Prompts(tuple(rows), tuple(names))
