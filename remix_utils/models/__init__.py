"""The networks we study; each is a file here, a line in the catalogue, and weights with a card."""

from remix_utils.models.catalogue import MODELS, load
from remix_utils.models.model import Model, ModelError
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer

__all__ = ["MODELS", "Model", "ModelError", "Transformer", "TransformerConfig", "load"]
