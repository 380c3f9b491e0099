"""Causal scrubbing: hypotheses, read in a graph and put to the test."""

from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.result import ScrubResult
from remix_utils.scrub.scrubbing import scrub, treeify

__all__ = ["Interp", "ScrubResult", "scrub", "treeify"]
