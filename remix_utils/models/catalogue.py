"""The list of networks, and `load`, which finds one by its name."""

from __future__ import annotations

from importlib import import_module

from remix_utils.errors import nearest
from remix_utils.models.model import Model, ModelError

# name: the room that builds it
MODELS = {
    "digits-a": "digits",
    "digits-b": "digits",
}


def load(name: str, step: int | None = None) -> Model:
    """A network by its name, its weights checked against the sha256 on its card.

    `step` asks for a checkpoint of its training, where the model has some (`model.checkpoints`).

    >>> from remix_utils import models
    >>> models.load("digits-a").graph().shape
    (10,)

    Raises ModelError for an unknown name or step, and for weights that are missing or are not those of the card.
    """
    if name not in MODELS:
        raise ModelError(
            f"There is no model {name!r}; {nearest(str(name), MODELS)}.",
            fix="load one of " + ", ".join(map(repr, MODELS)) + ".",
            name=name,
        )
    # By name, so that loading one model does not import what all the others need.
    return import_module(f"remix_utils.models.{MODELS[name]}").load(name, step)
