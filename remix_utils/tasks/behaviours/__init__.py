"""Behaviours beside indirect objects: ready prompt sets, counterfactuals, and next words to compare."""

from remix_utils.tasks.behaviours.prompt import Prompt, dataset, in_front
from remix_utils.tasks.behaviours.sets import BEHAVIOURS, prompts, ready
