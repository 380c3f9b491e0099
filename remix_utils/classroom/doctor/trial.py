"""Importing the packages and running each model once, in a process of its own, as a broken library may end Python.

    python -m remix_utils.classroom.doctor.trial WHAT TO LEAVE OUT

Each line that it prints is JSON: `begins`, the thing that comes next, or `fact` and `fix`, what was found. What ended
a process before, as its `begins` said, is left out by the next one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from remix_utils.classroom.doctor.finding import Finding
from remix_utils.errors import counted, reason

# The package that is imported: what pip calls it.
PACKAGES = {
    "numpy": "numpy",
    "torch": "torch",
    "packaging": "packaging",
    "opt_einsum": "opt-einsum",
    "safetensors": "safetensors",
    "tqdm": "tqdm",
    "gguf": "gguf",
    "platformdirs": "platformdirs",
    "filelock": "filelock",
    "tokenizers": "tokenizers",
    "transformers": "transformers",
    "sklearn.datasets": "scikit-learn",
    "plotly.graph_objects": "plotly",
    "circuitsvis": "circuitsvis",
    "ipykernel": "ipykernel",
    "jupyterlab.labapp": "jupyterlab",
    "nbgrader.api": "nbgrader",
    "jupytext": "jupytext",
}
SEQ = 6  # tokens of the forward pass


def say(**facts: object) -> None:
    print(json.dumps(facts), file=PIPE, flush=True)


def begin(what: str, **facts: object) -> bool:
    """Says what comes next; False if it is to be left out."""
    if what in sys.argv[1:]:
        return False
    say(begins=what, **facts)
    return True


def try_imports() -> None:
    """Imports each package; the others are still tried where one fails."""
    good = 0
    for name, package in PACKAGES.items():
        if not begin(f"the import of {package}", package=package):
            continue
        try:
            importlib.import_module(name)
            good += 1
        except BaseException as problem:
            say(fact=f"{package} cannot be imported: {type(problem).__name__}, {reason(problem)}", package=package)
    if good == len(PACKAGES):
        say(fact=f"{counted(good, 'package')} can be imported")


def try_models() -> None:
    """Runs each model on one short input. One that is not on this machine is passed over."""
    from remix_utils.models.catalogue import MODELS
    from remix_utils.models.smollm2 import kept

    for name in MODELS:
        here = name != "smollm2" or kept().is_file()
        if here and begin(f"a forward pass of {name}"):
            try:
                say(fact=f"{name}: a forward pass gives {run(name)}")
            except Exception as problem:
                fact, fix = getattr(problem, "fact", None), getattr(problem, "fix", None)
                said = fact or f"{type(problem).__name__}, {reason(problem)}"
                say(fact=f"{name} does not run: {said}", fix=fix or "mend the findings above, then: remix doctor")


def run(name: str) -> str:
    """Runs a model once, and says how many finite numbers it gives.

    >>> run("digits-a")
    '10 numbers'
    """
    import torch

    from remix_utils.graph.evaluate import evaluate
    from remix_utils.models.catalogue import load

    model = load(name)
    inputs: dict[str, Any] = {"x": torch.zeros(1, 64)}
    if "n_ctx" in model.config:
        inputs = {"tokens": torch.ones(1, SEQ, dtype=torch.int64)}
    graph = model.graph(SEQ) if "n_ctx" in model.config else model.graph()
    values: Any = evaluate(graph, inputs)
    if not values.isfinite().all():
        raise ValueError("it gives numbers that are not finite")
    return counted(values.numel(), "number")


def main() -> None:
    for examination in (try_imports, try_models):
        try:
            examination()
        except Exception as problem:
            fact = f"the models cannot be run: {type(problem).__name__}, {reason(problem)}"
            say(**Finding(fact, fix="mend the findings above, then: remix doctor")._asdict())
    say(done=True)


# What libraries print while they are imported must not come between our lines.
PIPE = sys.stdout
if __name__ == "__main__":
    PIPE = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main()
