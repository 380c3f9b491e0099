"""What a hypothesis allows, as numbers that any other exchange of rows changes."""

import torch

from remix_utils.scrub.scrubbing import scrub


def moments(graph, hypothesis, data, metric=None):
    """The first three moments of the scrubbed output [reference, 3], over every case there is."""
    result = scrub(graph, hypothesis, data, "all", metric=metric)
    reference = torch.nn.functional.one_hot(result.rows["reference"], len(data)).double().T
    powers = [result.per_example**power for power in (1, 2, 3)]
    return (reference * result.weights) @ torch.stack(powers, 1)
