"""Readings of a transformer: circuits in its weights, what its heads attend to and write, and how paths add up."""

from remix_utils.circuits.attention import (
    attention_to,
    current_token,
    duplicate_token,
    first_token,
    prefix_matching,
    previous_token,
)
from remix_utils.circuits.attribution import Attribution, logit_attribution, source_attribution
from remix_utils.circuits.composition import composition, composition_baseline
from remix_utils.circuits.copying import copying, copying_accuracy, copying_eigenvalues
from remix_utils.circuits.difference import logit_difference, word_score
from remix_utils.circuits.factored import FactoredMatrix
from remix_utils.circuits.loss import in_context, token_loss
from remix_utils.circuits.network import Estimate
from remix_utils.circuits.paths import path_expansion, virtual_pattern
from remix_utils.circuits.stream import components, direct_logits, head_outputs
from remix_utils.circuits.weights import full_ov, full_qk, ov, positional_qk, qk
