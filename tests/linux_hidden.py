"""Takes what only Linux has from the code of this repository: `pytest -p tests.linux_hidden`."""

import builtins
import os
import signal
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    signal: ("SIGALRM", "SIGHUP", "ITIMER_REAL", "alarm", "getitimer", "setitimer", "pthread_kill"),
    time: ("clock_gettime", "pthread_getcpuclockid"),
    os: ("fork", "killpg", "mkfifo", "setsid", "unshare"),
}
real_import = builtins.__import__


def is_ours(file: str) -> bool:
    """Whether a module stands in this repository, other than in an environment inside it."""
    return file.startswith(f"{ROOT}{os.sep}") and "site-packages" not in file


def hiding_import(name, globals=None, *others, **named):
    if name.partition(".")[0] in MODULES and is_ours(str((globals or {}).get("__file__", ""))):
        raise ModuleNotFoundError(f"No module named {name!r}, as on another system", name=name)
    return real_import(name, globals, *others, **named)


builtins.__import__ = hiding_import
for module, names in NAMES.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
