"""Text from files: rows of tokens that are the text's own, and files that are none are refused with the reason."""

import pytest

from remix_utils.errors import DataError
from remix_utils.tasks import TASKS, text

POEM = "I wandered lonely as a cloud\nThat floats on high o'er vales and hills,\n" * 5


def letters(document):
    """One number a character."""
    return [ord(character) for character in document]


def spell(tokens):
    """The text that these numbers are."""
    return "".join(map(chr, tokens))


def test_rows_are_the_text():
    """Put together, the rows are the text up to less than one row; the offsets say where each begins."""
    data = text.sequences(POEM, letters, seq=16)
    assert "text" in TASKS and data["tokens"].shape == (len(POEM) // 16, 16)
    assert spell(data["tokens"].flatten().tolist()) == POEM[: len(data) * 16]
    for offset, row in zip(data["offset"].tolist(), data["tokens"].tolist(), strict=True):
        assert spell(row) == POEM[offset : offset + 16]


def test_a_start_token_takes_a_place():
    """With a start token each row has one character less, and nothing of the text is lost between rows."""
    data = text.sequences(POEM, letters, seq=16, start=0)
    assert data["tokens"].shape == (len(POEM) // 15, 16) and set(data["tokens"][:, 0].tolist()) == {0}
    assert spell(data["tokens"][:, 1:].flatten().tolist()) == POEM[: len(data) * 15]


def test_the_parts_do_not_overlap():
    """The training part ends where the held-out part begins, after nine tenths."""
    train, held_out = (text.sequences(POEM, letters, seq=8, part=part) for part in text.PARTS)
    bound = len(POEM) * 9 // 10
    assert train["offset"][-1] + 8 <= bound == held_out["offset"][0]
    assert spell(held_out["tokens"][0].tolist()) == POEM[bound : bound + 8]


def test_files_are_read_alike_everywhere(tmp_path):
    """Line ends and a byte-order mark do not matter, and letters beyond ASCII are kept."""
    path = tmp_path / "poem.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "Fêtes\r\ngalantes\r".encode())
    assert text.read(path) == text.read(str(path)) == "Fêtes\ngalantes\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file.txt' is empty"),
        (b" \n\n ", "file.txt' is empty"),
        (b"\x89PNG\r\n", "not UTF-8 text .byte 0 is 0x89"),
        (b"caf\xe9", "byte 3 is 0xe9"),
        (b"PK\x03\x04\x00\x00", "has a zero byte"),
        (None, "cannot be read: No such file"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path, content, message):
    """Empty, binary, wrongly encoded and missing files each say so, and name the file."""
    path = tmp_path / "file.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        text.read(path)


def test_a_folder_is_no_text(tmp_path):
    """A folder's path is refused with the system's reason."""
    with pytest.raises(DataError, match=r"cannot be read: .*\n  fix: give the path of a text file"):
        text.read(tmp_path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: text.sequences(POEM, letters, part="test"), "no part 'test'"),
        (lambda: text.sequences("too short", letters, seq=10), "The text has 9 tokens, and one row needs 10"),
        (
            lambda: text.sequences(POEM, letters, seq=100, part="held-out"),
            "'held-out' has 36 tokens, and one row needs 100",
        ),
        (
            lambda: text.sequences("too short", letters, seq=4, least=3),
            "The text has 9 tokens, and 3 rows of 4 need 12",
        ),
        (lambda: text.sequences(POEM, letters, seq=1, start=0), "Rows of 1 tokens hold no text"),
        (lambda: text.sequences(POEM, lambda _: []), r"encode gave torch.float32 \[0\]"),
        (lambda: text.sequences(POEM, lambda _: [0.5]), r"return a list of whole numbers"),
        (lambda: text.sequences(POEM, lambda _: [[1, 2]]), r"encode gave torch.int64 \[1, 2\]"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    """Unknown parts, texts shorter than a row, and encodings that are no row of numbers."""
    with pytest.raises(DataError, match=message):
        call()
