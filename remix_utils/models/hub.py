"""Causal models from elsewhere: a local folder, the hub's cache, or the hub; safetensors only, never a pickle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any

from remix_utils.models import transformer
from remix_utils.models.families.gpt2 import GPT2
from remix_utils.models.families.llama import LLAMA, MISTRAL, QWEN2, QWEN3
from remix_utils.models.families.neox import NEOX
from remix_utils.models.families.phi3 import PHI3
from remix_utils.models.hub_files import (
    ADAPTER,
    TOKENIZER,
    damaged,
    read_json,
    readers,
    refuse_adapter,
    tokenizer_missing,
    weight_files,
)
from remix_utils.models.model import Model, ModelError

# transformers' name of the kind: how it is read
FAMILIES = {
    "gpt2": GPT2,
    "gpt_neox": NEOX,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "phi3": PHI3,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
}
# An adapter's files are asked for too, so that it is seen and refused.
FILES = ("config.json", "model*.safetensors", "model.safetensors.index.json", ADAPTER[0], *TOKENIZER)
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
    table = read_json(name, folder / "config.json")
    kind = _kind(name, table)
    refuse_adapter(name, folder)
    family, stored = FAMILIES[kind], readers(name, folder)
    theirs = family.settings(name, table)
    theirs.tie_word_embeddings = family.tied(name, stored, theirs.tie_word_embeddings)
    ours = family.config(name, theirs)
    weights = family.convert(name, stored, theirs, ours)
    card = {"name": name, "kind": kind, "folder": str(folder)}
    tokenizer = Text(name, folder, kind, ours.d_vocab)
    return transformer.model(name, weights, ours, card, tokenizer)


def _kind(name: str, table: dict[str, Any]) -> str:
    """The kind of a model, once it is one that is read, in floating point, with its weights where they belong."""
    kind = table.get("model_type")
    quantised = table.get("quantization_config") is not None
    if kind not in FAMILIES or quantised:
        what = "is quantised" if kind in FAMILIES else f"is of the kind {kind!r}"
        raise ModelError(
            f"{name!r} {what}; causal models of the kinds {', '.join(FAMILIES)} are read.",
            fix="choose a model of one of these kinds, in floating point.",
            kind=kind,
        )
    if file := table.get("transformers_weights"):
        raise ModelError(
            f"{name!r}: its config.json takes the weights from {file!r} (transformers_weights).",
            fix="load it with transformers, and save it anew with save_pretrained.",
            file=file,
        )
    return str(kind)


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
    patterns = '--include "*.json" --include "*.txt" --include "*.model" --include "model*.safetensors"'
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

    def __init__(self, name: str, folder: Path, kind: str, d_vocab: int):
        self.name, self.folder, self.kind, self.d_vocab = name, folder, kind, d_vocab

    @cached_property
    def own(self) -> Any:
        if lacking := tokenizer_missing(self.folder):
            raise ModelError(
                f"{self.name!r} reads no text: the folder {self.folder} has {lacking}.",
                fix="put all files of its tokenizer into that folder, or give tokens in place of text.",
                folder=str(self.folder),
            )
        from transformers import AutoTokenizer  # seconds to import: only those who read text need it

        try:
            return AutoTokenizer.from_pretrained(self.folder, local_files_only=True, trust_remote_code=False)
        except Exception as problem:  # whatever a foreign tokenizer makes of it
            present = next(file for file in TOKENIZER if (self.folder / file).is_file())
            raise damaged(self.name, self.folder / present, problem) from problem

    def encode(self, text: str) -> list[int]:
        """Tokens, with those that the tokenizer itself puts before every text.

        Raises ModelError for a character that becomes no token.
        """
        if not self.own.is_fast:
            return self.own.encode(text)
        found = self.own(text, return_offsets_mapping=True)
        read = {place for start, end in found["offset_mapping"] for place in range(start, end)}
        lost = [letter for place, letter in enumerate(text) if place not in read]
        if lost and not (read and all(map(str.isspace, lost))):  # spaces may go, but not a whole text
            # Places shift behind a letter that has no token, so each letter is looked at alone.
            lost = [letter for letter in text if not self.own.tokenize(letter)] or lost
            raise ModelError(
                f"{self.name!r}: its tokenizer makes no token of {lost[0]!r} in {text[:40]!r}.",
                fix="put all files of its tokenizer into its folder, or leave such characters out.",
                text=text,
            )
        return found["input_ids"]

    def decode(self, tokens: Sequence[int]) -> str:
        return self.own.decode(list(tokens), clean_up_tokenization_spaces=False)
