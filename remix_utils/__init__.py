"""REMIX: computational graphs, interventions and causal scrubbing for mechanistic interpretability."""

from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform, feature
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.functions import register
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
