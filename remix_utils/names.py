"""The names of the package: `from remix_utils import at` finds each in its room (see `on_demand`)."""

# ruff: noqa: F401 - an index gathers names for others

from remix_utils.checks.door import check, hint, solution, start_at
from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform
from remix_utils.graph.equality import same_value
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.functions import register
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace, split, update
from remix_utils.graph.rules import RULES, lift
from remix_utils.graph.select import explain, find, find_one, paths
from remix_utils.graph.selector import at
from remix_utils.graph.show import show
from remix_utils.intervene import ablate, freeze, patch, path_patch
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub, treeify
