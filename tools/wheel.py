"""remix_utils as its wheel installs it, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def installed_wheel(folder: Path) -> Path:
    """Builds the wheel and installs it into a folder, without a network; returns where the package lies."""
    source = folder / "source"
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "remix_utils", source / "remix_utils", ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q"]
    pip = [sys.executable, "-m", "pip"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    subprocess.run([*pip, "wheel", *options, "-w", folder, source], check=True, env=environment)
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", *options, "--target", folder / "site", built], check=True, env=environment)
    return folder / "site"
