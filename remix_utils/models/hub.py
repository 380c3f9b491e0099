"""Causal models from elsewhere: a local folder, the hub's cache, or the hub; safetensors only, never a pickle."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from remix_utils.models import transformer
from remix_utils.models.families.gpt2 import GPT2
from remix_utils.models.families.llama import LLAMA
from remix_utils.models.families.neox import NEOX
from remix_utils.models.model import Model, ModelError

# transformers' name of the kind: how it is read
FAMILIES = {"gpt2": GPT2, "gpt_neox": NEOX, "llama": LLAMA, "mistral": LLAMA, "qwen2": LLAMA}
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "tokenizer.model")
FILES = ("config.json", "model*.safetensors", "model.safetensors.index.json", "special_tokens_map.json", *TOKENIZER)
PATIENCE = 8  # seconds to wait for the hub's first answer


def load(name: str, instead: str = "") -> Model:
    """A GPT-2-, GPT-NeoX- or Llama-shaped causal model by hub name (`name@revision` too), or from a folder.

    What the hub's cache holds is used without asking the hub. Weights become float32. `instead` is a model that ships,
    named where this one cannot be had.

    Raises ModelError for a model that is not here while the hub cannot be reached, for one of another shape or with
    parts that our transformer lacks, and for files that are missing, damaged or pickles.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = cached(name) or downloaded(name, instead)
    table = _json(name, folder / "config.json")
    kind = table.get("model_type")
    if kind not in FAMILIES or "quantization_config" in table:
        what = "is quantised" if kind in FAMILIES else f"is of the kind {kind!r}"
        raise ModelError(
            f"{name!r} {what}; causal models of the kinds {', '.join(FAMILIES)} are read.",
            fix="choose a model of one of these kinds, in floating point.",
            kind=kind,
        )
    theirs = _their_config(name, folder)
    ours = FAMILIES[kind].config(name, theirs)
    weights = FAMILIES[kind].convert(name, readers(name, folder), theirs, ours)
    tokenizer = Text(name, folder) if any((folder / file).exists() for file in TOKENIZER) else None
    card = {"name": name, "kind": kind, "folder": str(folder)}
    return transformer.model(name, weights, ours, card, tokenizer)


def _their_config(name: str, folder: Path) -> Any:
    from transformers import AutoConfig  # seconds to import: only models from elsewhere need it

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as problem:  # whatever a foreign configuration makes of it
        raise _damaged(name, folder / "config.json", problem) from problem


def _json(name: str, path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(
            f"{name!r}: the folder {path.parent} has no {path.name}.",
            fix="give a folder that save_pretrained wrote, or that was downloaded whole.",
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise _damaged(name, path, problem) from problem
    if not isinstance(table, dict):
        raise _damaged(name, path, ValueError(f"it holds a {type(table).__name__}"))
    return table


def _damaged(name: str, path: Path, problem: Exception) -> ModelError:
    reason = (str(problem) or type(problem).__name__).splitlines()[0]
    return ModelError(
        f"{name!r}: {path.name} cannot be read ({reason}); it is damaged or of another kind.",
        fix=f"download it again, after deleting {path}.",
        file=path.name,
    )


def weight_files(name: str, folder: Path) -> list[Path]:
    """The files of a folder's index, whether they are there or not; without one, the weights that are."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return sorted(folder.glob("model*.safetensors"))
    return [folder / file for file in sorted(set(_json(name, index).get("weight_map", {}).values()))]


def readers(name: str, folder: Path) -> dict[str, Callable[[], torch.Tensor]]:
    """For each weight in a folder's safetensors files, how to read it.

    Raises ModelError when there are none, one is missing or damaged, or its name in the hub's cache, which is its
    sha256, is not that of its bytes.
    """
    paths = weight_files(name, folder)
    if missing := [path for path in paths if not path.is_file()]:
        raise ModelError(
            f"{name!r}: {missing[0].name} of {len(paths)} files is missing.",
            fix="download the rest.",
            file=missing[0].name,
        )
    if not paths:
        pickles = [path.name for path in folder.glob("*") if path.suffix in (".bin", ".pt", ".pth", ".ckpt")]
        raise ModelError(
            f"{name!r}: the folder {folder} has no model.safetensors"
            + (f", only {pickles[0]}, a pickle, which could run anything." if pickles else "."),
            fix="take a revision with safetensors, or save it anew with save_pretrained where you trust its source.",
        )
    found: dict[str, Callable[[], torch.Tensor]] = {}
    for path in paths:
        try:
            file = safe_open(path, framework="pt")
            found |= {key: lambda file=file, key=key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as problem:
            raise _damaged(name, path, problem) from problem
        blob = path.resolve()
        if re.fullmatch("[0-9a-f]{64}", blob.name) and _sha256(blob) != blob.name:
            raise _damaged(name, blob, ValueError("its sha256 is not its name"))
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _split(name: str) -> tuple[str, str | None]:
    repository, _, revision = name.partition("@")
    return repository, revision or None


def cached(name: str) -> Path | None:
    """The model's folder in the hub's cache, if its configuration and weights are all there."""
    from huggingface_hub import snapshot_download

    repository, revision = _split(name)
    try:
        folder = Path(
            snapshot_download(repository, revision=revision, allow_patterns=list(FILES), local_files_only=True)
        )
    except (OSError, ValueError):  # not there, or no name that the hub could have
        return None
    paths = weight_files(name, folder)
    whole = (folder / "config.json").exists() and bool(paths) and all(path.exists() for path in paths)
    return folder if whole else None


def downloaded(name: str, instead: str) -> Path:
    """The model's folder once the hub has filled it; ModelError, within seconds, when there is none to be had."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils import validate_repo_id

    repository, revision = _split(name)
    try:
        validate_repo_id(repository)
        _soon(lambda: HfApi().model_info(repository, revision=revision, timeout=PATIENCE / 2))
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(FILES)))
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as problem:
        raise ModelError(
            f"There is no model {name!r}: it does not ship, it is no folder here, and the hub does not have it"
            + (" or asks for a token." if isinstance(problem, RepositoryNotFoundError) else "."),
            fix="correct the name, or give the path of a folder that holds the model.",
        ) from problem
    except Exception as problem:  # every library below has its own errors for a network that is not there
        raise ModelError(
            f"{name!r} is not on this machine, and the hub cannot be reached ({type(problem).__name__}).",
            fix=f"{_fetch(repository, revision)}" + (f"; or load {instead!r}, which ships." if instead else "."),
        ) from problem


def _fetch(repository: str, revision: str | None) -> str:
    target = repository.rsplit("/", 1)[-1]
    pinned = f" --revision {revision}" if revision else ""
    patterns = '--include "*.json" --include "*.txt" --include "model*.safetensors"'
    return (
        f"on a machine with a network run `hf download {repository}{pinned} {patterns} --local-dir {target}`, "
        f'copy that folder here and load it by its path, such as "./{target}"'
    )


def _soon(ask: Callable[[], Any]) -> None:
    """Ask, and raise what it raises, or TimeoutError: looking up a name can hang for longer than any timeout says."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            ask()
            outcome.append(None)
        except BaseException as problem:
            outcome.append(problem)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    problem = outcome[0] if outcome else TimeoutError(f"no answer in {PATIENCE} s")
    if problem is not None:
        raise problem


class Text:
    """The tokenizer that came with a model, read when it is first used."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder

    @cached_property
    def own(self) -> Any:
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(self.folder, local_files_only=True, trust_remote_code=False)
        except Exception as problem:  # as for configurations
            raise _damaged(self.name, self.folder / TOKENIZER[0], problem) from problem

    def encode(self, text: str) -> list[int]:
        """Tokens, with those that the tokenizer itself puts before every text."""
        return self.own.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return self.own.decode(list(tokens), clean_up_tokenization_spaces=False)
