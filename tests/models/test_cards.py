"""The texts of the model cards are those of the scripts that make the weights."""

import re
import tomllib

import pytest

from remix_utils import models
from remix_utils.models.model import SHIPPED
from training import compile_parens, digits, induction, ioi, parens
from training.parens_circuit import circuit

TEXTS = {
    "digits-a": digits.ABOUT,
    "digits-b": digits.ABOUT,
    "induction-2l": induction.ABOUT,
    "ioi-small": {**ioi.ABOUT, "how": ioi.HOW["ioi-small"]},
    "ioi-small-b": {**ioi.ABOUT, "how": ioi.HOW["ioi-small-b"]},
    "parens": parens.ABOUT,
    "parens-planted": compile_parens.ABOUT,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_card_has_the_texts_of_its_script(name):
    """A text that is improved on the card is improved where the next card is written, too."""
    card = models.load(name).card
    assert {key: card[key] for key in TEXTS[name]} == TEXTS[name]


def test_the_planted_circuit_has_the_texts_of_its_script():
    """Each edge, head and neuron has one role in both places, and the file says how to read its rows."""
    file = tomllib.loads((SHIPPED / "parens-planted.circuit.toml").read_text(encoding="utf-8"))
    written = circuit(compile_parens.assemble(models.load("parens-planted").card["training"]["seed"]))
    assert {key: file[key] for key in ("graded", "rows")} == {key: written[key] for key in ("graded", "rows")}
    for part in ("circuit", "decoy", "idle"):
        assert file[part]["heads"] == written[part]["heads"]
        assert file[part]["neurons"] == written[part]["neurons"]


@pytest.mark.parametrize("name", TEXTS)
def test_each_training_setting_that_a_text_names_is_on_the_card(name):
    """`training.lesson` in a text leads to the number in the table below it."""
    card = models.load(name).card
    named = re.findall(r"\btraining\.(\w+)", " ".join(TEXTS[name].values()))
    assert [key for key in named if key not in card["training"]] == []
