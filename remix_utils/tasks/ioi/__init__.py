"""Indirect object identification: "After John and Mary went to the store, John gave a drink to" ... Mary.

The task of Wang et al. 2022, Interpretability in the Wild, with our own sentences.
"""

from remix_utils.tasks.ioi.balanced import balanced
from remix_utils.tasks.ioi.families import FAMILIES, sentences
from remix_utils.tasks.ioi.prompt import ORDERS, PARTS, Prompt, Prompts, prompts
from remix_utils.tasks.ioi.single_tokens import names, objects, places
from remix_utils.tasks.ioi.tokens import ROLES, dataset, groups
from remix_utils.tasks.ioi.vocabulary import (
    NAMES,
    OBJECTS,
    PLACES,
    SUBJECT_TEMPLATES,
    TEMPLATES,
    TOKENIZER,
    TRAIN_TEMPLATES,
    VOCABULARY,
    WordTokenizer,
)
