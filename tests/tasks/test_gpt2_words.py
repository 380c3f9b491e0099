"""The task's names, places and objects are single tokens in GPT-2; the proof is kept beside this file.

With REMIX_GPT2_TOKENIZER naming a folder that holds GPT-2's vocab.json and merges.txt, the proof itself is checked.
"""

import json
import os
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from remix_utils.tasks import ioi

PROOF = json.loads(Path(__file__).with_name("gpt2_words.json").read_text(encoding="utf-8"))
FOLDER = os.environ.get("REMIX_GPT2_TOKENIZER")


def test_the_proof_covers_every_word():
    """Each name, place and object has a token of its own."""
    assert list(PROOF["tokens"]) == [*ioi.NAMES, *ioi.PLACES, *ioi.OBJECTS]
    assert len(set(PROOF["tokens"].values())) == len(PROOF["tokens"])


@pytest.mark.skipif(FOLDER is None, reason="REMIX_GPT2_TOKENIZER names no folder with vocab.json and merges.txt")
def test_the_tokens_are_those_of_gpt2():
    """Merging the letters of each word, as byte-pair encoding does, ends in the one token of the proof."""
    folder = Path(FOLDER)
    for name, expected in PROOF["sha256"].items():
        assert sha256((folder / name).read_bytes()).hexdigest() == expected, name
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    rank = {tuple(line.split()): number for number, line in enumerate(lines)}
    for word, token in PROOF["tokens"].items():
        pieces = list("\u0120" + word)  # how the file writes a space
        while pairs := [pair for pair in pairwise(pieces) if pair in rank]:
            best = min(pairs, key=rank.__getitem__)
            at = list(pairwise(pieces)).index(best)
            pieces[at : at + 2] = ["".join(best)]
        assert [vocabulary[piece] for piece in pieces] == [token], word
