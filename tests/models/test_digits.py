"""The day-1 pair: equally accurate, one leaning on its skip connection and one on its hidden layer."""

import pytest
import torch

from remix_utils.graph.evaluate import evaluate
from remix_utils.models.catalogue import MODELS, load
from remix_utils.models.digits import DigitsNetwork
from remix_utils.models.model import ModelError
from remix_utils.tasks import digits

PAIR = ("digits-a", "digits-b")


def forward(weights, x):
    """The network written once more, without modules or graphs, in double precision."""
    w = {name: tensor.double() for name, tensor in weights.items()}
    hidden = (x.double() @ w["inner.weight"].T + w["inner.bias"]).clamp(min=0)
    return hidden @ w["out.weight"].T + x.double() @ w["skip"].T


def accuracy(logits):
    return 100 * (logits.argmax(-1) == digits.images("test")["label"]).double().mean().item()


def resampled(name):
    """Accuracy with the hidden layer of other images, over 20 draws."""
    network, x = load(name).module(), digits.images("test")["x"]
    hidden = network.hidden(network.inner(x))
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randint(len(x), (len(x),), generator=generator) for _ in range(20)]
    return sum(accuracy(network.out(hidden[rows]) + x @ network.skip.T) for rows in draws) / len(draws)


@pytest.mark.parametrize("name", PAIR)
def test_graph_module_and_arithmetic_agree(name):
    """The graph, the torch module and a forward pass written out give the same logits to 1e-5."""
    model, x = load(name), digits.images("test")["x"]
    expected = forward(model.weights, x)
    torch.testing.assert_close(model.module()(x).double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(evaluate(model.graph(), {"x": x}).double(), expected, atol=1e-5, rtol=1e-5)


def test_the_pair_is_equally_accurate():
    """Both are right on more than 94 % of the test images, and within one point of each other."""
    a, b = (accuracy(forward(load(name).weights, digits.images("test")["x"])) for name in PAIR)
    assert min(a, b) > 94 and abs(a - b) < 1


def test_the_pair_differs_in_mechanism():
    """With its hidden layer resampled, digits-a keeps at least 40 points more than digits-b."""
    assert resampled("digits-a") - resampled("digits-b") >= 40


@pytest.mark.parametrize("name", PAIR)
def test_the_card_tells_what_the_weights_do(name):
    """Recipe, seed and licence are on the card, and its accuracy is what one measures."""
    model = load(name)
    assert {"sha256", "data", "data_licence", "how", "limits", "leans_on", "log"} <= set(model.card)
    assert {"seed", "steps", "torch"} <= set(model.card["training"])
    assert model.card["metrics"]["as it is"] == pytest.approx(
        accuracy(model.module()(digits.images("test")["x"])), abs=0.2
    )
    assert model.card["metrics"]["resample"] == pytest.approx(resampled(name), abs=1.5)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "smollm2"])
def test_shipped_weights_are_single_precision(name):
    """Weights are float32 throughout."""
    assert {tensor.dtype for tensor in load(name).weights.values()} == {torch.float32}


def test_a_module_is_a_copy_of_its_own():
    """A hook or a changed weight in one module reaches no other module, and no later graph."""
    model = load("digits-a")
    first, second = model.module(), model.module()
    first.skip.zero_()
    assert second.skip.abs().sum() > 0 and model.weights["skip"].abs().sum() > 0


def test_every_layer_but_the_skip_can_be_hooked():
    """The module's layers are named as the graph's nodes are; the skip is an operator, which no hook can see."""
    names = [name for name, _ in DigitsNetwork().named_children()]
    assert names == ["x", "inner", "hidden", "out"]


def test_what_digits_do_not_have_is_refused():
    """Sequences, heads and text are errors that say so."""
    model = load("digits-a")
    for ask in (lambda: model.graph(seq=8), lambda: model.head(0, 0), lambda: model.tokenize("7")):
        with pytest.raises(ModelError, match="fix: "):
            ask()


@pytest.mark.parametrize("name", ["digits-a", "digits-b"])
def test_the_default_dtype_changes_nothing(name):
    """The module's weights are those of the file, whatever torch's default is."""
    images = torch.linspace(0, 1, 128).reshape(2, 64)
    before = load(name).module()(images)
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.equal(load(name).module()(images), before)
    finally:
        torch.set_default_dtype(torch.float32)
