"""A stub is unwritten, and no other error is."""

import ctypes

import pytest
import torch

from remix_utils.checks import attempt as module
from remix_utils.checks.attempt import attempt, unwritten
from tests.checks.endless import everywhere


def stub():
    raise NotImplementedError()  # your code here


BARE = "raise NotImplementedError"
STUBS = [stub, lambda: exec(BARE), lambda: max([1, 2], key=lambda _: stub())]


@everywhere
@pytest.mark.parametrize("call", STUBS)
def test_a_stub_is_unwritten(place, call):
    """The error comes from the stub's own `raise` and has no message."""
    assert unwritten(place(lambda: attempt(call)).error)


def raised_in_c():
    ctypes.pythonapi.PyErr_SetNone(ctypes.py_object(NotImplementedError))


OTHERS = [
    lambda: torch.arange(3).softmax(-1),
    lambda: torch.zeros(2, device="meta").item(),
    lambda: torch.distributions.Distribution(validate_args=False).rsample(),
    raised_in_c,
    lambda: exec(BARE + "('only for float32')"),
]


@pytest.mark.parametrize("call", OTHERS)
def test_another_error_is_not_unwritten(call):
    """torch raises NotImplementedError for an operation without a kernel, which is to be shown."""
    error = attempt(call).error
    assert error is not None
    assert not unwritten(error)


@pytest.mark.parametrize("package, expected", [("remix_utils", True), ("another", False)])
def test_a_stub_of_this_package_may_be_installed(package, expected, monkeypatch):
    """Installed libraries have no stubs, except for this package itself."""
    monkeypatch.setattr(module, "OWN", "/lib/site-packages/remix_utils")
    code = compile(BARE, f"/lib/site-packages/{package}/x.py", "exec")
    assert unwritten(attempt(exec, code).error) is expected
