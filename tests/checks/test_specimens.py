"""The two layernorms that day 1, part 0 diagnoses: no source shows, and the diagnosis is right."""

import inspect
import traceback

import pytest
import torch

from remix_utils.checks.exercise import Wrong
from remix_utils.checks.judge import judge
from tests.checks.lessons import PARTS

PART = PARTS["d1.0"]
both = pytest.mark.parametrize(("name", "id"), [("specimen_a", "d1.0.8"), ("specimen_b", "d1.0.9")])


@both
def test_the_reference_diagnosis_computes_the_specimen(name, id):
    """On vectors of 2 to 9 entries, ordinary, shifted and tiny."""
    specimen, diagnosis = getattr(PART.module, name), PART.reference(id)
    numbers = torch.Generator().manual_seed(0)
    for width in range(2, 10):
        for size, middle in ((1.0, 0.0), (2.0, 3.0), (1e-3, 0.0)):
            x = size * torch.randn(3, width, generator=numbers) + middle
            w, b = torch.randn(2, width, generator=numbers)
            torch.testing.assert_close(diagnosis(x, w, b), specimen(x, w, b))


@both
def test_a_specimen_shows_no_line_of_its_source(name, id):
    """Neither `??` nor the traceback of a call with wrong shapes."""
    specimen = getattr(PART.module, name)
    with pytest.raises(OSError, match=r"could not get source code|source code not available"):
        inspect.getsource(specimen)
    with pytest.raises(RuntimeError) as caught:
        specimen(torch.ones(2, 3), torch.ones(4), torch.ones(4))
    assert not any(frame.line for frame in traceback.extract_tb(caught.tb)[1:])


@both
def test_a_diagnosis_that_calls_the_specimen_is_refused(name, id):
    """Under another name too, and where the call is only a part of the answer."""
    patient = getattr(PART.module, name)

    def scaled(x, w, b, eps=1e-5):
        return patient(x, torch.ones_like(w), torch.zeros_like(b), eps) * w + b

    for answer in (patient, scaled):
        with pytest.raises(Wrong, match="This calls the specimen"):
            judge(PART, PART.exercise(id), answer)
