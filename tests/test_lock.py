"""The lock, and the files that must say the same as it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import yaml

from remix_utils.classroom.doctor import installation as doctor
from tools import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]


def test_the_lock_is_exact_and_holds_what_we_ask_for():
    """Every line has one version; torch is bare; no CUDA, no index; every direct dependency is there."""
    pinned = re.compile(r"([a-z0-9.-]+)==([\w.]+)(?: ; .+)?")
    names = {match[1] for line in LOCK if (match := pinned.fullmatch(line))}
    assert [line for line in LOCK if not pinned.fullmatch(line)] == []
    assert "torch==2.13.0" in LOCK
    assert [name for name in names if name.startswith(("nvidia", "cuda", "triton"))] == []
    asked = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["dev"]
    assert {re.split("[=<>]", name)[0] for name in asked} - names == set()


def test_conda_users_get_the_same_versions():
    """The pip section of environment.yml is the lock, then this repository; its conda lines are plain specs."""
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert pip == {"pip": [*LOCK, "-e ."]}
    spec = re.compile(r"[a-z0-9_-]+( (>=|<=|<|>|==|=)[0-9.]+(,(>=|<=|<|>|==|=)[0-9.]+)*)?")
    assert [line for line in conda if not spec.fullmatch(line)] == []
    assert f"python {PROJECT['project']['requires-python']}" in conda


def test_the_range_of_pythons_is_the_same_everywhere():
    """The metadata, make, set-up and the doctor agree on which Pythons will do."""
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.15"
    assert "(3, 11) <= sys.version_info < (3, 15)" in (ROOT / "Makefile").read_text()
    assert (environment.OLDEST, environment.NEWEST) == (doctor.OLDEST, doctor.NEWEST) == ((3, 11), (3, 14))


def test_what_runs_these_tests_is_the_lock():
    """The versions installed here are the locked ones."""
    assert doctor.check_lock().good, doctor.check_lock().fact


def test_make_tells_its_targets():
    """`make` alone lists every target, and every target can be planned."""
    make = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", make, re.MULTILINE)[1].split()) - {"help", "environment"}
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert targets == set(re.findall(r"^make (\w+)", told, re.MULTILINE))


def test_every_target_has_its_ground():
    """A script that the Makefile runs is a script that is there."""
    make = (ROOT / "Makefile").read_text()
    scripts = re.findall(r"(?:tools|training|tests)/\w+\.py", make)
    scripts += [module.replace(".", "/") + ".py" for module in re.findall(r"-m ((?:tools|benchmarks)\.\w+)", make)]
    assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_ci_is_a_script_that_parses():
    """`.ci/run` can be executed, parses, and ends in `make test`."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.read_text().rstrip().endswith("make test")
