"""Colours are told apart without any sense of hue, and run evenly from light to dark."""

import subprocess
import sys
from itertools import pairwise

from remix_utils import plot
from remix_utils.plot.style import DIVERGING, SEQUENTIAL, colour_at, contrast, ink_on


def test_neighbouring_colours_differ_in_brightness():
    """The first two colours, which most figures use, are told apart without any sense of hue."""
    assert contrast(*plot.COLOURS[:2]) > 2


def test_more_is_always_darker():
    """Both arms of the scale darken from zero outwards, step by step, so that hue is never needed to see size."""
    for arm in (SEQUENTIAL, DIVERGING[5::-1]):
        away_from_white = [contrast(colour_at(step / 20, arm), "#ffffff") for step in range(21)]
        assert all(a < b for a, b in pairwise(away_from_white)) and away_from_white[-1] > 10


def test_text_is_legible_on_every_shade():
    """At least 4.5 to 1, the bound of the accessibility guidelines."""
    shades = [colour_at(step / 100, DIVERGING) for step in range(101)]
    assert min(contrast(ink_on(shade), shade) for shade in shades) >= 4.5


def test_importing_the_library_draws_in_no_plotting():
    """plotly is imported with `remix_utils.plot`, and circuitsvis with the first picture that it draws."""
    program = (
        "import sys, remix_utils; early = {'plotly', 'circuitsvis'} & set(sys.modules); "
        "from remix_utils import plot; sys.exit(bool(early) or 'circuitsvis' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
