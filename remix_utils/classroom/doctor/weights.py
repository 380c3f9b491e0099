"""The weights that ship, and smollm2 if it is here: every file beside the checksum on its card."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any

from remix_utils.classroom.doctor.finding import Finding
from remix_utils.errors import counted

PACKAGE = Path(__file__).resolve().parents[2]
WEIGHTS = PACKAGE / "models" / "weights"


def check_weights(folder: Path = WEIGHTS) -> Iterator[Finding]:
    """Finds weights and tokenizers that are missing, or other than their cards say.

    >>> [finding.good for finding in check_weights()]
    [True]
    """
    expected, faults = {}, []
    for path in sorted(folder.glob("*.toml")):
        try:
            expected |= files_of(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            faults.append(f"the card {path.name} cannot be read ({type(problem).__name__})")
    for name, checksum in expected.items():
        faults += _fault(folder / name, checksum)
    if not expected:
        faults.append(f"no card of a model is in {folder}")
    for fault in faults:
        yield Finding(fault, fix=restore(folder))
    if not faults:
        yield Finding(f"{counted(len(expected), 'file')} of weights and tokenizers, as on their cards")


def files_of(card: dict[str, Any]) -> dict[str, str]:
    """Returns the checksums of the files beside a card, by name; none for a model that does not ship.

    >>> files_of({"name": "a", "sha256": "12", "checkpoints": [{"step": 5, "sha256": "34"}]})
    {'a.safetensors': '12', 'a.step-5.safetensors': '34'}
    """
    if "sha256" not in card or "package" in card:
        return {}
    name = card["name"]
    found = {f"{name}.safetensors": card["sha256"]}
    found |= {f"{name}.step-{each['step']}.safetensors": each["sha256"] for each in card.get("checkpoints", ())}
    if "tokenizer_sha256" in card:
        found[f"{name}.tokenizer.json"] = card["tokenizer_sha256"]
    return found


def _fault(path: Path, expected: str) -> list[str]:
    try:
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        return [f"{path.name} cannot be read: {problem.strerror}"]
    return [] if found == expected else [f"{path.name} has sha256 {found[:12]}..., its card says {expected[:12]}..."]


def restore(folder: Path) -> str:
    """Returns the command that brings the shipped files back."""
    clone = PACKAGE.parent
    if os.path.exists(clone / ".git") and folder.is_relative_to(clone):
        return f"git -C {clone} checkout -- {folder.relative_to(clone).as_posix()}"
    return "install remix-utils again: pip install --force-reinstall --no-deps WHEEL"


def check_smollm2() -> Finding:
    """Says whether the real language model is here; without it the lessons run on the models that ship.

    >>> check_smollm2().good
    True
    """
    from platformdirs import user_cache_path

    card = tomllib.loads((WEIGHTS / "smollm2.toml").read_text(encoding="utf-8"))
    path = user_cache_path("remix") / "models" / card["file"]
    if not path.is_file():
        return Finding("smollm2, a real language model, is not here (to fetch its 93 MB: remix model smollm2)")
    if _fault(path, card["sha256"]):
        fix = "remix model smollm2 --remove, then: remix model smollm2"
        return Finding(f"{path} is damaged: its sha256 is not the card's", fix=fix)
    return Finding("smollm2, a real language model, is here")
