"""The instructors' tables of mistakes quote messages that the checks give."""

import ast
import functools
import re

import pytest

from tests.checks.lessons import PARTS, ROOT

HEADER = "| exercise | what they do | the message | ask them |"
ROW = re.compile(r"\| \**(?P<id>d\d+\.\d+\.\d+)\b[^|]*\|[^|]+\| \"(?P<quotation>[^|]+)\" \|[^|]+\|")


def table_lines(text):
    """The lines below the headers of the tables of mistakes, without their rules."""
    inside = False
    for line in text.splitlines():
        if line == HEADER:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            yield line


TABLES = {
    path.parent.name: list(table_lines(path.read_text(encoding="utf-8")))
    for path in sorted(ROOT.glob("solutions/day*_*/INSTRUCTOR.md"))
}
LINES = [line for lines in TABLES.values() for line in lines]
QUOTATIONS = [match.group("id", "quotation") for line in LINES if (match := ROW.fullmatch(line))]


def raised_texts(source):
    """The texts of each `Wrong(...)` in a source; an f-string gives its pieces."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "Wrong":
            texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
            yield from (text for text in texts if isinstance(text, str))


@functools.cache
def messages(id):
    """What a participant may be told: the sentences of the exercise's mistakes, and those that a `use` raises."""
    part = PARTS[id.rpartition(".")[0]]
    declared = [mistake.says for mistake in part.exercise(id).mistakes]
    return [*declared, *(text for source in part.bundle.sources.values() for text in raised_texts(source))]


def is_given(id, quotation):
    """Whether a message of the exercise holds the quotation, word for word."""
    return any(quotation in message for message in messages(id))


def test_every_row_names_an_exercise_and_quotes_one_message():
    """A row of another form would not be compared; the tables cover every part of the course."""
    assert [line for line in LINES if not ROW.fullmatch(line)] == []
    assert {id.rpartition(".")[0] for id, _ in QUOTATIONS} == set(PARTS)


@pytest.mark.parametrize(("id", "quotation"), QUOTATIONS)
def test_every_quotation_is_a_message_of_its_exercise(id, quotation):
    """An instructor finds the words of the table on the participant's screen, capitals included."""
    assert is_given(id, quotation), f"no message of {id} holds {quotation!r}"


def test_a_quotation_with_another_word_is_no_message():
    """The comparison above notices each single word that is changed."""
    for id, quotation in QUOTATIONS:
        words = quotation.split(" ")
        for place in range(len(words)):
            assert not is_given(id, " ".join([*words[:place], "nowhere", *words[place + 1 :]]))
