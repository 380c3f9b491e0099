"""Any text: a file that is really text, and its tokens in rows of equal length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError

PARTS = ("train", "held-out")
TRAINED_ON = 9, 10  # the first nine tenths of a text


def read(path: str | Path) -> str:
    r"""The text of a UTF-8 file, with line ends as "\n" on every machine.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "poem.txt")
    ...     _ = path.write_bytes(b"Half a league,\r\nhalf a league\r\n")
    ...     read(path)
    'Half a league,\nhalf a league\n'

    Raises DataError for a file that is missing, empty, not text, or may not be read.
    """
    path = Path(path).expanduser()
    try:
        found = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DataError(
            f"{str(path)!r} is not UTF-8 text (byte {problem.start} is {problem.object[problem.start]:#04x}).",
            fix="give a plain text file, or save it as UTF-8.",
        ) from None
    except OSError as problem:
        raise DataError(
            f"{str(path)!r} cannot be read: {problem.strerror}.", fix="give the path of a text file.", path=str(path)
        ) from problem
    if "\0" in found:
        raise DataError(f"{str(path)!r} has a zero byte, so it is not text.", fix="give a plain text file.")
    if not found.strip():
        raise DataError(f"{str(path)!r} is empty.", fix="give a file with some text in it.")
    return found


def sequences(
    document: str,
    encode: Callable[[str], Sequence[int]],
    seq: int = 128,
    part: str | None = None,
    start: int | None = None,
    least: int = 1,
) -> Dataset:
    """The tokens of a text in rows of length `seq`, one after another; what is left at the end is dropped.

    `encode` turns a text into numbers. `part` is "train", the first nine tenths of the tokens, or "held-out", the last
    tenth. With a token to `start` with, each row is that and `seq` − 1 tokens of the text. `least` is how many rows
    there must be: a standard error needs several.

    Columns: `tokens` [rows, seq], and `offset` [rows], how many tokens of the text stand before the row.

    >>> data = sequences("to be or not to be", encode=lambda text: [ord(c) for c in text], seq=7, start=0)
    >>> data["tokens"], data["offset"]
    (tensor([[  0, 116, 111,  32,  98, 101,  32],
            [  0, 111, 114,  32, 110, 111, 116],
            [  0,  32, 116, 111,  32,  98, 101]]), tensor([ 0,  6, 12]))

    Raises DataError for an unknown part, one too short for the rows asked for, and an `encode` that gives no whole
    numbers.
    """
    if part not in (None, *PARTS):
        raise DataError(f"A text has no part {part!r}.", fix='ask for "train" or "held-out".', part=part)
    width = seq - (start is not None)
    if width < 1:
        raise DataError(f"Rows of {seq} tokens hold no text.", fix="ask for a longer seq.", seq=seq)
    tokens = torch.as_tensor(encode(document))
    if tokens.ndim != 1 or tokens.is_floating_point() or not len(tokens):
        raise DataError(f"encode gave {tokens.dtype} {list(tokens.shape)}.", fix="return a list of whole numbers.")
    bound = len(tokens) * TRAINED_ON[0] // TRAINED_ON[1]
    first, last = {None: (0, len(tokens)), "train": (0, bound), "held-out": (bound, len(tokens))}[part]
    rows = (last - first) // width
    if rows < max(least, 1):
        whole = f"The part {part!r} has" if part else "The text has"
        needed = f"one row needs {width}" if least < 2 else f"{least} rows of {width} need {least * width}"
        raise DataError(
            f"{whole} {last - first} tokens, and {needed}.",
            fix="give a longer text, or a smaller seq.",
            tokens=last - first,
            seq=seq,
        )
    body = tokens[first : first + rows * width].long().reshape(rows, width)
    front = torch.full((rows, seq - width), 0 if start is None else start)
    return Dataset(tokens=torch.cat([front, body], 1), offset=first + width * torch.arange(rows))
