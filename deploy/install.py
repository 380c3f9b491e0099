"""Install one cohort's Hub on this server: environment, proxy, accounts, folders, settings. Run it as root.

    python3 deploy/install.py deploy/cohort.toml

It can be run again: it adds what is missing, and takes nothing away.
"""

from __future__ import annotations

import argparse
import grp
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HUB, PROXY = "jupyterhub==6.1.1", "configurable-http-proxy@5.3.0"
STAFF = "remix-instructors"
INSTRUCTORS_TOOLS = ("create-assignment", "course-list", "formgrader")
# Their commands, templates and pages are looked for in this environment itself.
ITS_OWN = ("alembic", "nbconvert", "nbgrader", "jupyterlab", "setuptools")


def main() -> None:
    asked = argparse.ArgumentParser(description="Install the Hub of one cohort.")
    asked.add_argument("cohort", type=Path, help="the cohort.toml")
    asked.add_argument("--prefix", type=Path, default=Path("/opt/remix"), help="the environment (/opt/remix)")
    asked.add_argument("--sees", type=Path, help="site-packages that hold the lock already; nothing of it is installed")
    options = asked.parse_args()
    cohort = tomllib.loads(options.cohort.read_text(encoding="utf-8"))
    if os.geteuid() != 0:
        sys.exit("This makes accounts, and so must run as root.\n  fix: sudo python3 deploy/install.py cohort.toml")
    os.umask(0o022)
    make_environment(options.prefix, options.sees)
    make_accounts(cohort, options.prefix)
    make_folders(cohort)
    place_settings(options.cohort, options.prefix)
    print(f"Next: {options.prefix}/bin/jupyterhub -f {options.prefix}/etc/remix/jupyterhub_config.py")


def make_environment(prefix: Path, sees: Path | None) -> None:
    """Installs the lock, remix_utils from its wheel, JupyterHub and its proxy."""
    if not (prefix / "bin" / "python").exists():
        run(sys.executable, "-m", "venv", prefix)
    pip = (prefix / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    if sees is None:
        run(*pip, "-r", ROOT / "requirements.txt", HUB)
    else:
        (site,) = prefix.glob("lib/python*/site-packages")
        (site / "course.pth").write_text(f"{sees}\n")
        run(*pip, HUB)
        run(*pip, "--no-deps", "--ignore-installed", *locked(ITS_OWN))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "remix_utils", source / "remix_utils", ignore=leave)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        # Copied: a build in the instructor's clone would leave files of root's there.
        run(*pip, "--no-deps", "--no-build-isolation", "--force-reinstall", source)
    run("npm", "install", "--silent", "--prefix", prefix / "proxy", PROXY)


def locked(names: tuple[str, ...]) -> list[str]:
    """Returns the lines of the lock for some of its packages."""
    lines = (ROOT / "requirements.txt").read_text().split("\n")
    return [line for line in lines if line.partition("==")[0].replace("-", "_") in names]


def make_accounts(cohort: dict, prefix: Path) -> None:
    """Makes the accounts that do not exist, each with a password in a file that only root reads."""
    if not any(group.gr_name == STAFF for group in grp.getgrall()):
        run("groupadd", STAFF)
    staff = [cohort["instructor"], *cohort["assistants"]]
    there = {account.pw_name for account in pwd.getpwall()}
    path = prefix / "etc" / "remix" / "passwords.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in [*staff, *cohort["pairs"]]:
        if name not in there:
            run("useradd", "--create-home", "--shell", "/bin/bash", "--user-group", name)
            password = secrets.token_urlsafe(9)
            run("chpasswd", input=f"{name}:{password}\n", text=True)
            with open(path, "a", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
                file.write(f"{name} {password}\n")
        os.chmod(pwd.getpwnam(name).pw_dir, 0o700)
    for name in staff:
        run("usermod", "--append", "--groups", STAFF, name)


def make_folders(cohort: dict) -> None:
    """Makes the Hub's own folder, the exchange with the course in it, and the folder of the pairs' progress."""
    data, owner = Path(cohort["data"]), pwd.getpwnam(cohort["instructor"]).pw_uid
    staff = grp.getgrnam(STAFF).gr_gid
    course = data / "exchange" / "remix"
    for folder, user, group, mode in (
        (data, 0, 0, 0o755),
        (data / "hub", 0, 0, 0o700),
        (data / "progress", 0, staff, 0o751),  # a pair finds its own folder by name, the board lists them all
        (data / "exchange", 0, 0, 0o1777),  # nbgrader wants it writable; the sticky bit keeps others' names safe
        (course, owner, staff, 0o755),
        (course / "outbound", owner, staff, 0o755),
        (course / "feedback", owner, staff, 0o711),  # a page's name can be computed by its owner alone
        (course / "inbound", owner, staff, 0o3733),  # put in, not listed; what is put in belongs to the instructors
    ):
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, user, group)
        os.chmod(folder, mode)


def place_settings(cohort: Path, prefix: Path) -> None:
    """Copies the settings to where JupyterHub, and nbgrader in every account, look for them."""
    for source, target in (
        (cohort, prefix / "etc" / "remix" / "cohort.toml"),
        (ROOT / "deploy" / "jupyterhub_config.py", prefix / "etc" / "remix" / "jupyterhub_config.py"),
        (ROOT / "deploy" / "nbgrader_config.py", prefix / "etc" / "jupyter" / "nbgrader_config.py"),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for kind, hidden in (("staff", []), ("pairs", INSTRUCTORS_TOOLS)):
        folder = prefix / "etc" / "remix" / "lab" / kind
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "remix_utils" / "classroom" / "settings" / "overrides.json", folder / "overrides.json")
        names = [f"@jupyter/nbgrader:{name}" for name in hidden]
        text = json.dumps({"disabledExtensions": [*names, "@jupyterlab/extensionmanager-extension:plugin"]})
        (folder / "page_config.json").write_text(text)


def run(*command: object, **options) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)


if __name__ == "__main__":
    main()
