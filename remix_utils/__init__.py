"""REMIX: computational graphs, interventions and causal scrubbing for mechanistic interpretability."""

from remix_utils.checks import place  # remembers the folder in which the kernel started
from remix_utils.on_demand import serve

TYPE_CHECKING = False  # editors read it as true; the import of `typing` would take as long as all else here
if TYPE_CHECKING:
    from remix_utils.names import *  # noqa: F403

serve(__name__)
