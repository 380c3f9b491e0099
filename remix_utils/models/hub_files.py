"""Which files of a model's folder are read, decided as transformers decides it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from remix_utils.errors import counted, reason
from remix_utils.models.model import ModelError, file_sha256

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARD = re.compile(r"model-\d{5}-of-(\d{5})\.safetensors")
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
# What transformers' AutoTokenizer reads, whatever the tokenizer.
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "added_tokens.json",
    "special_tokens_map.json",
    "tekken.json",
    "tiktoken.model",
    "*.tiktoken",
    "chat_template*.jinja",
    "chat_template.json",
)
# Sets of files each of which is a whole vocabulary.
VOCABULARIES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("tokenizer.model",))


def damaged(name: str, path: Path, problem: Exception) -> ModelError:
    """Returns the error for a file that cannot be read."""
    return ModelError(
        f"{name!r}: {path.name} cannot be read ({reason(problem)}); it is damaged or of another kind.",
        fix=f"download it again, after deleting {path}.",
        file=path.name,
    )


def read_json(name: str, path: Path) -> dict[str, Any]:
    """Returns the table that a JSON file holds.

    Raises ModelError when it is not there or holds no table.
    """
    if not path.is_file():
        raise ModelError(
            f"{name!r}: the folder {path.parent} has no {path.name}.",
            fix="give a folder that save_pretrained wrote, or that was downloaded whole.",
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise damaged(name, path, problem) from problem
    if not isinstance(table, dict):
        raise damaged(name, path, ValueError(f"it holds a {type(table).__name__}"))
    return table


def refuse_adapter(name: str, folder: Path) -> None:
    """Raises ModelError when a folder holds an adapter, which changes the weights beside it."""
    for file in ADAPTER:
        if (folder / file).exists():
            raise ModelError(
                f"{name!r}: the folder {folder} holds an adapter ({file}), which is not applied here.",
                fix="merge it first: call merge_and_unload() on the PEFT model, then save_pretrained, "
                "and load that folder.",
                file=file,
            )


def weight_files(name: str, folder: Path) -> list[Path]:
    """Returns the files that hold a folder's weights, whether they are there or not.

    As in transformers that is model.safetensors alone where it is there, whatever lies beside it,
    and otherwise the files of its index. Without both it is a set of numbered shards.

    Raises ModelError for an index that cannot be read, and for shards of two sets.
    """
    index = folder / INDEX
    # An index that cannot be read is refused even where model.safetensors makes it superfluous.
    indexed = _indexed(name, index) if index.is_file() else []
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    return [folder / file for file in indexed or _numbered(name, folder)]


def _indexed(name: str, index: Path) -> list[str]:
    files = read_json(name, index).get("weight_map")
    if not isinstance(files, dict) or not files:
        held = "no weight_map" if files is None else f"the weight_map {files!r}"
        raise damaged(name, index, ValueError(f"it holds {held}"))
    for key, file in files.items():
        if not isinstance(file, str) or Path(file).name != file:
            raise damaged(name, index, ValueError(f"it looks for {key!r} in {file!r}"))
    return sorted(set(files.values()))


def _numbered(name: str, folder: Path) -> list[str]:
    shards = {found[0]: found[1] for path in sorted(folder.glob("*")) if (found := SHARD.fullmatch(path.name))}
    totals = {total: file for file, total in shards.items()}
    if len(totals) > 1:
        first, second, *_ = totals.values()
        raise ModelError(
            f"{name!r}: {first} and {second} belong to two sets of weights, and no {INDEX} says which is meant.",
            fix="delete one of the sets.",
            files=(first, second),
        )
    return [f"model-{number:05}-of-{total}.safetensors" for total in totals for number in range(1, int(total) + 1)]


def readers(name: str, folder: Path) -> dict[str, Callable[[], torch.Tensor]]:
    """Returns how to read each weight of a folder, by the name it has in the files.

    Raises ModelError when there are none, one file is missing or damaged, two files hold the same
    weight, or a file's name in the hub's cache, which is its sha256, is not that of its bytes.
    """
    paths = weight_files(name, folder)
    if not paths:
        raise _without_weights(name, folder)
    if missing := [path for path in paths if not path.is_file()]:
        raise ModelError(
            f"{name!r}: {missing[0].name} of {counted(len(paths), 'file')} is missing.",
            fix=f"download the {counted(len(missing), 'missing file')} into {folder}.",
            file=missing[0].name,
        )
    found: dict[str, Callable[[], torch.Tensor]] = {}
    home: dict[str, str] = {}
    for path in paths:
        for key, read in _opened(name, path).items():
            if key in home:
                raise ModelError(
                    f"{name!r}: {home[key]} and {path.name} both hold the weight {key!r}.",
                    fix="delete the file that does not belong to the model.",
                    files=(home[key], path.name),
                    weight=key,
                )
            found[key], home[key] = read, path.name
    return found


def _opened(name: str, path: Path) -> dict[str, Callable[[], torch.Tensor]]:
    try:
        file = safe_open(path, framework="pt")
        keys = list(file.keys())
    except (SafetensorError, OSError) as problem:
        raise damaged(name, path, problem) from problem
    blob = path.resolve()
    if re.fullmatch("[0-9a-f]{64}", blob.name) and file_sha256(blob) != blob.name:
        raise damaged(name, blob, ValueError("its sha256 is not its name"))
    return {key: lambda key=key: file.get_tensor(key) for key in keys}


def _without_weights(name: str, folder: Path) -> ModelError:
    others = sorted(path.name for path in folder.glob("*") if path.suffix in (*PICKLES, ".safetensors"))
    pickles = [file for file in others if file.endswith(PICKLES)]
    held = f", only {others[0]}, which is not read" if others else ""
    if pickles:
        held = f", only {pickles[0]}, a pickle, which could run anything"
    return ModelError(
        f"{name!r}: the folder {folder} has no {SINGLE}{held}.",
        fix="take a revision with safetensors, or save it anew with save_pretrained where you trust its source.",
    )


def tokenizer_missing(folder: Path) -> str:
    """Returns what a folder lacks of a tokenizer, as the end of a sentence, or nothing where it is whole."""
    if any(all((folder / file).is_file() for file in files) for files in VOCABULARIES):
        return _special_missing(folder)
    for present, lacking in (("vocab.json", "merges.txt"), ("merges.txt", "vocab.json")):
        if (folder / present).is_file():
            return f"{present} without {lacking}"
    return "no tokenizer.json"


def _special_missing(folder: Path) -> str:
    """A special token that the files name and none holds: transformers would number it as it likes."""
    if (folder / "tokenizer.json").is_file() or not (folder / "vocab.json").is_file():
        return ""
    names = ("vocab.json", "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json")
    vocabulary, added, config, special = (_table(folder / file) for file in names)
    numbered = config.get("added_tokens_decoder") or {}
    held = {*vocabulary, *added, *map(_content, numbered.values())}
    for file, table in ((names[2], config), (names[3], special)):
        for entry, value in table.items():
            listed = value if isinstance(value, list) else [value]
            for token in map(_content, listed if entry.endswith(("_token", "_special_tokens")) else []):
                if token not in held:
                    return f"no added_tokens.json, though {file} names the token {token!r}, which vocab.json lacks"
    return ""


def _table(path: Path) -> dict[str, Any]:
    return read_json(path.parent.name, path) if path.is_file() else {}


def _content(token: Any) -> Any:
    """A special token as text: files hold it as that, or as a table with its `content`; flags are no tokens."""
    if isinstance(token, dict):
        return token.get("content")
    return token
