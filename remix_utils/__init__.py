"""REMIX: computational graphs, interventions and causal scrubbing for mechanistic interpretability."""

from typing import TYPE_CHECKING

from remix_utils.checks import place  # remembers the folder in which the kernel started
from remix_utils.on_demand import serve

if TYPE_CHECKING:
    from remix_utils.names import *  # noqa: F403

serve(__name__)
