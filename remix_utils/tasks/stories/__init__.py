"""Small stories in plain English with invented names that return: text whose loss an induction head lowers."""

from remix_utils.tasks.stories.names import Person
from remix_utils.tasks.stories.telling import tell
from remix_utils.tasks.stories.vocabulary import SHAPES, WORDS
