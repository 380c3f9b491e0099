"""The list of networks, and `load`, which finds one by its name."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from remix_utils.errors import nearest
from remix_utils.models.model import Model, ModelError

# name: the room that builds it
MODELS = {
    "digits-a": "digits",
    "digits-b": "digits",
    "parens": "small",
    "parens-planted": "small",
    "induction-2l": "small",
    "ioi-small": "small",
    "ioi-small-b": "small",
    "smollm2": "smollm2",
}


def load(name: str, step: int | None = None) -> Model:
    """A network by its name: one that ships, or any causal model of the kinds GPT-2, GPT-NeoX, Llama, Mistral, Phi-3,
    Qwen2 and Qwen3.

    Those that ship have their weights checked against the sha256 on their card; `step` asks for a checkpoint of their
    training, where there are some (`model.checkpoints`). "smollm2" is in the user's cache, once `remix model smollm2`
    has fetched it. A path that ends in .gguf is a file of llama.cpp. Others are named as on the Hugging Face hub
    ("gpt2", "EleutherAI/pythia-70m", "EleutherAI/pythia-70m@step1000" for a revision) or by a folder's path, and come
    from that folder, from the hub's cache, or from the hub.

    >>> from remix_utils import models
    >>> models.load("digits-a").graph().shape
    (10,)

    Raises ModelError for an unknown name or step, for weights that are missing, damaged or not those of the card, and
    for a model of another shape.
    """
    # By name, so that loading one model does not import what all the others need.
    if name in MODELS:
        return import_module(f"remix_utils.models.{MODELS[name]}").load(name, step)
    typed = str(name)
    if get_close_matches(typed, MODELS, cutoff=0.75) and not Path(typed).exists():
        raise ModelError(
            f"There is no model {typed!r}; {nearest(typed, MODELS)}.",
            fix="load one of " + ", ".join(map(repr, MODELS)) + ", or a causal model by its name on the hub.",
            name=name,
        )
    if step is not None:
        raise ModelError(
            f"{typed!r} does not ship, and has no checkpoint at step {step}.",
            fix='name a revision of it instead, such as "EleutherAI/pythia-70m@step1000".',
        )
    if Path(typed).suffix == ".gguf":
        return import_module("remix_utils.models.gguf.model").load(typed, Path(typed).expanduser())
    readers = [shipped for shipped in ("ioi-small", "induction-2l") if shipped in MODELS]
    return import_module("remix_utils.models.hub").load(typed, instead=readers[0] if readers else "")
