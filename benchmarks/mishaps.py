"""What goes wrong in notebooks that are handed in, by mistake or on purpose: endless loops, bombs, broken files.

The places that an attack writes to are named as in `cheats`.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path

MARKER = "remix-was-here"  # in the name of each file that an attack writes
LARGE = 500 * 10**6

WRITES = """
import os, pathlib
for place in ("@COURSE@", "@COURSE@/remix_utils", "@SUBMITTED@", "@SUBMITTED@/reference/@DAY@", "@GRADING@", "@HOME@",
              "~", "/root", "/home", "/tmp", "/var/tmp", "/dev/shm", "/", "/usr", "/etc", "/run", ".", "..", "../.."):
    for act in (lambda p: p.write_text("x"), lambda p: p.mkdir(), lambda p: p.symlink_to("/"), lambda p: os.mkfifo(p)):
        try:
            act(pathlib.Path(place).expanduser() / "remix-was-here")
        except (OSError, RuntimeError):
            pass
for path in ("@GRADEBOOK@", "@HOME@/.bashrc", "@SUBMITTED@/reference/@DAY@/part1_see.ipynb", "@COURSE@/pyproject.toml"):
    for act in (lambda p: p.write_text("x"), lambda p: p.unlink(), lambda p: p.chmod(0o777)):
        try:
            act(pathlib.Path(path))
        except OSError:
            pass
"""
THREAD = """
import sys, threading
def run():
    while True:
        print("e", file=sys.stderr)
threading.Thread(target=run, daemon=True).start()
"""
CHILD = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(3600)"

# Each stands at the beginning of a right solution; the share of the points that is due, None for whatever comes out.
IN_THE_ANSWER: dict[str, tuple[str, float | None]] = {
    "endless": ("while True:\n    pass", 0),
    "endless and deaf": ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", 0),
    "endless in C": ("sum(range(10**12))", 0),
    "sleeps": ("import time\ntime.sleep(10**6)", 0),
    "input": ("input()", 0),
    "sys.exit": ("import sys\nsys.exit(0)", 0),
    "os._exit": ("import os\nos._exit(0)", 0),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", 0),
    "kills itself": ("import os\nos.kill(os.getpid(), 9)\nos.abort()", 0),
    "kills everybody": ("import os\ntry:\n    os.kill(-1, 9)\nexcept OSError:\n    pass", 1),
    "kills the parent": ("import os\nfor n in (os.getppid(), 1, 2):\n    try:\n        n != os.getpid() and n and "
                         "os.kill(n, 9)\n    except OSError:\n        pass", 1),
    "30 GB": ("x = bytearray(30 << 30)", 0),
    "30 GB in steps": ("x = []\nwhile True:\n    x.append(bytearray(2**24))", 0),
    "fork bomb": ("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass", 0),
    "thread bomb": ("import threading as t, time\nwhile True:\n    t.Thread(target=time.sleep, args=(9,)).start()", 0),
    "1 GB of output": ("for _ in range(1024):\n    print('x' * 2**20)", None),
    "1 GB to the terminal": ("import os\nfor _ in range(1024):\n    os.write(1, b'x' * 2**20)", 1),
    "30,000 lines": ("for n in range(30_000):\n    print(n)", 1),
    "1 GB of files": ("for n in range(16):\n    try:\n        open(f'/tmp/{n}', 'wb').write(b'x' * 2**26)\n"
                      "    except OSError:\n        pass", 1),
    "100,000 files": ("import os\ntry:\n    for n in range(10**5): os.mknod(f'{n}')\nexcept OSError:\n    pass", 1),
    "recursion": ("def deeper(n):\n    return deeper(n + 1) + 1\ndeeper(0)", 0),
    "detached child": (CHILD, 0),  # no process can be started
    "thread on stderr": (THREAD, 1),
    "stderr": ("import sys\nprint('e' * 10**6, file=sys.stderr)", 1),
    "warnings": ("import warnings, logging\nwarnings.warn('look')\nlogging.error('look')", 1),
    "writes outside": (WRITES, 1),
    "network": ("import socket\ntry:\n    socket.create_connection(('127.0.0.1', 22), 1)\nexcept OSError:\n    pass\n"
                "else:\n    raise SystemExit", 1),
    "raises markup": ("raise ValueError('<script>alert(1)</script>')", 0),
    "raises half a character": ("raise ValueError('\\ud800')", 0),
    "raises a formula": ("raise ValueError('=cmd()')", 0),
    "raises what cannot be told": ("class Odd(Exception):\n    def __str__(self): raise Odd\nraise Odd", 0),
    "raises a megabyte": ("raise ValueError('x' * 2**20)", 0),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", 0),
    "GeneratorExit": ("raise GeneratorExit", 0),
    "changes folder": ("import os\nos.chdir('/')", 1),
    "scripts": ("from IPython.display import HTML, display\ndisplay(HTML('<script>alert(1)</script>'))", 1),
    "signals": ("import signal\nfor n in (1, 2, 14):\n    signal.signal(n, signal.SIG_IGN)\nwhile True:\n    pass", 0),
}  # fmt: skip
BESIDE_THE_ANSWER: dict[str, tuple[str, float]] = {  # above it, in its cell
    "endless at top level": ("while True:\n    pass", 0),
    "sys.exit at top level": ("import sys\nsys.exit(0)", 0),
    "os._exit at top level": ("import os\nos._exit(0)", 0),
    "error at top level": ("1 / 0", 0),
    "no Python": ("def broken(:", 0),
    "magics": ("%timeit 1\n!ls /\n%cd /", 1),
    "a null character": ("'\0'", 0),
}
IN_A_CELL: dict[str, str] = {  # of their own, at the beginning of the notebook: no answer rests on them
    "experiment that never ends": "while True:\n    pass",
    "experiment that ends the kernel": "import os\nos._exit(0)",
    "experiment that fails": "1 / 0",
    "experiment with half a character": "s = '\ud800'",
    "experiment with magics": "%%bash\nrm -rf /\n",
    "experiment that writes": WRITES,
    "experiment with a script": "from IPython.display import HTML\nHTML('<script>alert(1)</script>')",
}


# --- notebooks that are broken, or odd ----------------------------------------------------------------------------


def stripped(whole: dict) -> dict:
    """Returns the notebook without any metadata, as some tools write it."""
    cells = [{**cell, "metadata": {}} for cell in whole["cells"]]
    return {**whole, "metadata": {}, "cells": cells}


def without(whole: dict, drop: Callable[[dict], bool]) -> dict:
    return {**whole, "cells": [cell for cell in whole["cells"] if not drop(cell)]}


def is_check(cell: dict) -> bool:
    return str(cell["id"]).endswith("-check")


def is_hole(cell: dict) -> bool:
    marks = cell["metadata"].get("nbgrader", {})
    return bool(marks.get("solution")) and not marks.get("grade")


def is_given(cell: dict) -> bool:
    return cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader")


def doubled(whole: dict) -> dict:
    """Returns the notebook with each hole and check pasted once more below, with all its marks."""
    cells = []
    for cell in whole["cells"]:
        cells.append(cell)
        if is_check(cell) or is_hole(cell):
            cells.append({**copy.deepcopy(cell), "id": f"{cell['id'][:50]}-pasted"})
    return {**whole, "cells": cells}


def edited_checks(whole: dict) -> dict:
    return {**whole, "cells": [{**c, "source": "print('ok')"} if is_check(c) else c for c in whole["cells"]]}


def edited_points(whole: dict) -> dict:
    cells = copy.deepcopy(whole["cells"])
    for cell in cells:
        if is_check(cell):
            cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "cell_type": "markdown"}
    return {**whole, "cells": cells}


def text(whole: dict) -> bytes:
    return json.dumps(whole).encode()


# From a right notebook to the bytes of a file, with the share of the points that is due.
FILES: dict[str, tuple[Callable[[dict], bytes], float]] = {
    "stripped": (lambda w: text(stripped(w)), 1),
    "byte order mark": (lambda w: b"\xef\xbb\xbf" + text(w), 1),
    "doubled cells": (lambda w: text(doubled(w)), 1),
    "no checks": (lambda w: text(without(w, is_check)), 1),
    "no given cells": (lambda w: text(without(w, is_given)), 1),
    "edited checks": (lambda w: text(edited_checks(w)), 1),
    "edited points": (lambda w: text(edited_points(w)), 1),
    "kernel R": (lambda w: text({**w, "metadata": {"kernelspec": {"name": "ir", "language": "R"}}}), 1),
    "carriage returns": (lambda w: json.dumps(w, indent=1).replace("\n", "\r\n").encode(), 1),
    "large outputs": (lambda w: text({**w, "cells": [*w["cells"], {"cell_type": "code", "id": "big", "metadata": {},
                      "source": "", "outputs": [{"text": "x" * 10**7}]}]}), 1),
    "odd metadata": (lambda w: text({**w, "cells": [*w["cells"], {"id": 7, "metadata": [], "source": 5},
                     {"cell_type": {}, "metadata": {"nbgrader": {"grade_id": []}}, "source": [1, None]}, {}]}), 1),
    "no holes": (lambda w: text(without(w, is_hole)), 0),
    "broken JSON": (lambda w: text(w)[:-300], 0),
    "not UTF-8": (lambda w: b"\xff\xfe" + text(w), 0),
    "UTF-16": (lambda w: text(w).decode().encode("utf-16"), 0),
    "empty": (lambda w: b"", 0),
    "no cells": (lambda w: b"{}", 0),
    "cells of null": (lambda w: b'{"cells": null}', 0),
    "deep JSON": (lambda w: b"[" * 200_000, 0),
    "zeros": (lambda w: b"\0" * 10**6, 0),
}  # fmt: skip


# --- places where no notebook is, or another one ------------------------------------------------------------------


def _sparse(path: Path, there: Path) -> float:
    """Each of these changes a right notebook's file, and returns the share of the points that is due."""
    os.truncate(path, LARGE)
    return 0


def _linked(path: Path, there: Path) -> float:
    path.unlink()
    path.symlink_to(there)
    return 0


def _pipe(path: Path, there: Path) -> float:
    path.unlink()
    os.mkfifo(path)
    return 0


def _folder(path: Path, there: Path) -> float:
    path.unlink()
    path.mkdir()
    return 0


def _renamed(path: Path, there: Path) -> float:
    path.rename(path.with_name(f"{path.stem} (1).ipynb"))
    return 1


def _path_like(path: Path, there: Path) -> float:
    path.rename(path.with_name(f"..%2f..%2f\\..\\{path.stem}\n=.ipynb"))
    return 1


def _twice(path: Path, there: Path) -> float:
    """An older copy that is broken."""
    older = path.with_name(f"Copy of {path.name}")
    older.write_bytes(b"{")
    os.utime(older, (0, 0))
    return 1


ODD_PLACES = {"500 MB": _sparse, "a link": _linked, "a pipe": _pipe, "a folder": _folder, "renamed": _renamed,
             "path-like": _path_like, "twice": _twice}  # fmt: skip
