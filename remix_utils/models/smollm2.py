"""SmolLM2-135M-Instruct (Allal et al. 2025), a real language model, from the user's cache.

https://arxiv.org/abs/2502.02737
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from remix_utils.models.model import SHIPPED, Model, ModelError, file_sha256

NAME = "smollm2"


def card() -> dict[str, Any]:
    """Returns the model's card: its source, licence, checksums, quantisation and figures.

    >>> card()["licence"]
    'Apache-2.0'
    """
    return tomllib.loads((SHIPPED / f"{NAME}.toml").read_text(encoding="utf-8"))


def measured() -> dict[str, tuple[float, float, float]]:
    """Returns the figures of the full run of day 5 on this model, by name.

    Each is a value with its standard error over prompts and over templates, NaN where an error has
    no meaning. `python -m tools.full_run` measured them, on 4 prompts of every template and order.

    >>> all(len(figure) == 3 for figure in measured().values())
    True
    """
    stored = tomllib.loads((SHIPPED / f"{NAME}.ioi.toml").read_text(encoding="utf-8"))
    return {name: tuple(figure) for name, figure in stored["figures"].items()}


def kept() -> Path:
    """Returns where the model's file is kept, whether it is there or not.

    >>> kept().suffix
    '.gguf'
    """
    return user_cache_path("remix") / "models" / card()["file"]


def load(name: str = NAME, step: int | None = None) -> Model:
    """Loads the model from the user's cache, and dequantises its weights to float32.

    Raises ModelError when the file is not there or its sha256 is not the card's, and for a step,
    as the file holds the end of training only.
    """
    if step is not None:
        raise ModelError(f"{name!r} has no checkpoint at step {step}; it has none.", fix="leave out step=.")
    about, path = card(), kept()
    if not path.is_file():
        raise ModelError(
            f"{name!r} is not on this machine: there is no {path}.",
            fix="run `remix model smollm2` in a terminal, which fetches 93 MB.",
        )
    require_checksum(path, about["sha256"])
    from remix_utils.models.gguf.model import load as load_gguf

    return load_gguf(name, path, about)


def require_checksum(path: Path, expected: str) -> None:
    """Raises ModelError when a file's sha256 is not the expected one."""
    found = file_sha256(path)
    if found != expected:
        raise ModelError(
            f"{path} has sha256 {found[:12]}..., the card says {expected[:12]}....",
            fix="run `remix model smollm2 --remove`, then `remix model smollm2`.",
            found=found,
            expected=expected,
        )
