"""The package gives out its names when they are asked for, and imports nothing before."""

import subprocess
import sys

from remix_utils.on_demand import gathered


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_no_other():
    """Neither torch nor numpy nor anything else that is installed, until a name is used."""
    code = "import sys, remix_utils, remix_utils.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    assert {"torch", "numpy", "packaging", "tqdm", "IPython"} & set(run(code).split()) == set()


def test_every_name_is_there_and_is_listed():
    """By `from`, as an attribute, by `*` and in `dir`; a name that is not there is an AttributeError."""
    code = """
import remix_utils
from remix_utils import *
from remix_utils.on_demand import gathered
for name in gathered():
    value = getattr(remix_utils, name)
    assert globals()[name] is value and name in dir(remix_utils), name
    assert getattr(value, "__name__", name).rpartition(".")[2] in (name, "Check"), (name, value)
assert not hasattr(remix_utils, "nothing")
"""
    run(code)
    assert len(gathered()) > 30


def test_a_function_is_never_its_folder():
    """`scrub` is a function, and a folder of the same name; whichever is imported first, the function is given out."""
    code = "import remix_utils.scrub.hypothesis; from remix_utils import scrub, models; print(scrub.__class__.__name__)"
    assert run(code) == "function"
    assert run("from remix_utils import plot, scrub; print(scrub.__class__.__name__)") == "function"
