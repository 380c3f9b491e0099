"""A config.json with the defaults of its kind, as transformers' configurations read it.

Importing transformers for this would take most of the time of loading a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from remix_utils.models.model import ModelError

Entries = Mapping[str, tuple[Any, Any]]  # name: the types of its values, the value where it is not given
LAYER_TYPES = ("full_attention", "sliding_attention")


def unreadable(name: str, fact: str) -> ModelError:
    """Returns the error for a configuration that makes no sense."""
    return ModelError(
        f"{name!r}: config.json cannot be read ({fact}).",
        fix="correct that entry, or download config.json again.",
        file="config.json",
    )


def read_settings(
    name: str, table: Mapping[str, Any], entries: Entries, renamed: Mapping[str, str] | None = None
) -> SimpleNamespace:
    """Returns the entries of a configuration, with their defaults where they are not given.

    >>> read_settings("m", {"n_layer": 2}, {"n_layer": (int, 12), "n_inner": (int | None, None)})
    namespace(model_type=None, n_layer=2, n_inner=None)

    Raises ModelError for a value of another type.
    """
    given = dict(table)
    given |= {ours: table[theirs] for theirs, ours in (renamed or {}).items() if theirs in table}
    found: dict[str, Any] = {"model_type": table.get("model_type")}
    for entry, (types, default) in entries.items():
        value = given.get(entry, default)
        accepted = int | float if types is float else types
        if not isinstance(value, accepted) or (isinstance(value, bool) and types is not bool):
            raise unreadable(name, f"{entry} is {value!r}")
        found[entry] = value
    return SimpleNamespace(**found)


def rope_parameters(
    name: str, table: Mapping[str, Any], base: str = "rope_theta", share: str = "partial_rotary_factor"
) -> dict[str, Any]:
    """Returns how positions are rotated; `base` and `share` are the names of entries that older files hold.

    >>> rope_parameters("m", {"rope_theta": 500.0})
    {'rope_theta': 500.0, 'rope_type': 'default'}

    Raises ModelError for numbers that are none, and for positions that differ between layers.
    """
    rope = table.get("rope_scaling") or table.get("rope_parameters") or {}
    if not isinstance(rope, dict) or any(isinstance(value, dict) for value in rope.values()):
        raise unreadable(name, f"rope_parameters are {rope!r}")
    rope = {**rope}
    rope.setdefault("rope_theta", table.get(base, 10_000.0))
    if table.get(share) is not None:
        rope.setdefault("partial_rotary_factor", table[share])
    rope.setdefault("rope_type", rope.get("type", "default"))
    if rope["rope_type"] == "llama3":
        before = table.get("original_max_position_embeddings")
        if before is not None:
            rope["original_max_position_embeddings"] = before
        rope.setdefault("original_max_position_embeddings", table.get("max_position_embeddings"))
    for entry, value in rope.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number and entry not in ("rope_type", "type", "short_factor", "long_factor"):
            raise unreadable(name, f"{entry} is {value!r}")
    return rope


def window(name: str, table: Mapping[str, Any], theirs: SimpleNamespace) -> int | None:
    """Returns the sliding window of a Qwen configuration, where any of its layers has one.

    Raises ModelError for layers of other types, or of another number.
    """
    size = theirs.sliding_window if theirs.use_sliding_window else None
    layers = theirs.num_hidden_layers
    types = table.get("layer_types")
    if types is None:
        return size if layers > theirs.max_window_layers else None
    if not isinstance(types, list) or len(types) != layers or not set(types) <= set(LAYER_TYPES):
        raise unreadable(name, f"layer_types are {types!r} for {layers} layers")
    if "sliding_attention" in types and size is None:
        raise unreadable(name, "layers have sliding attention, but there is no sliding_window")
    return size if "sliding_attention" in types else None
