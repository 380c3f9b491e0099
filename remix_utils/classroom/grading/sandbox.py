"""A place from which an answer reaches nothing: namespaces of Linux, as `unshare` makes them.

Two layers. The nursery, which holds the imported libraries and runs no answer, has no network and
sees a root of its own: the installation, read-only, and nothing else. Each worker adds processes,
users and a disk in memory of its own, gives up every right, and dies with all its children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import sys
import sysconfig
from pathlib import Path

from remix_utils.errors import RemixError

NEW_FILES, NEW_IPC, NEW_NAMES = 0x00020000, 0x08000000, 0x04000000
NEW_USERS, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE, DETACH = 4096, 16384, 1 << 18, 2
READ_ONLY, NO_SETUID, NO_DEVICES = 1, 2, 4
SET_ATTRIBUTES = 442  # the same number on every machine
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
DIE_WITH_PARENT, NO_NEW_RIGHTS, READABLE = 1, 38, 4
NOBODY = 65534
DEVICES = ("null", "zero", "random", "urandom")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime")
DESK = "/desk"  # a worker's own folder
ROOM = 64 * 2**20  # bytes of a worker's disk, and of each of its files
MEMORY = 3 * 2**30
PROCESSES = 24


FIX = "grade on a Linux that allows user namespaces, or add --without-sandbox."


class SandboxError(RemixError):
    """No sandbox can be had here."""


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _do(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise SandboxError(
            f"This machine gives no sandbox: {what} is refused ({os.strerror(number)}).",
            fix=FIX,
        )


def installation() -> list[str]:
    """Returns what a worker must be able to read: Python, its packages, and this one."""
    own = Path(__file__).resolve().parents[2]
    paths = sysconfig.get_paths()
    wanted = [sys.base_prefix, sys.prefix, paths["purelib"], paths["platlib"], str(own)]
    wanted += [os.path.realpath(path) for path in wanted]  # .venv may be a link to another disk
    return list(dict.fromkeys([*SYSTEM, *wanted]))


def nursery(readable: list[str], proc: int) -> None:
    """The first layer, for the process that will be forked: no network, and a root of its own."""
    if sys.platform != "linux":
        raise SandboxError(f"There is no sandbox for {sys.platform} here.", fix=FIX)
    as_root = os.geteuid() == 0
    apart = NEW_FILES | NEW_NETWORK | NEW_IPC | NEW_NAMES
    users = (os.geteuid(), os.getegid())
    _do("unshare", libc().unshare(apart | (0 if as_root else NEW_USERS)))
    if not as_root:
        _map_users(proc, *users)
    _do("a private root", libc().mount(None, b"/", None, RECURSIVE | PRIVATE, None))
    _own_root(readable)
    if as_root:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    libc().prctl(READABLE, 0, 0, 0, 0)


def _map_users(proc: int, user: int, group: int) -> None:
    """Makes the one user and group that exist inside stand for those outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        file = os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)


def _own_root(readable: list[str]) -> None:
    """Makes a root in memory that shows what is readable, each under its own path."""
    root = _hidden_place(readable)
    _mount_memory(root, ROOM)
    for path in readable:
        if os.path.lexists(path):
            _show(path, root)
    for name in DEVICES:
        _show(f"/dev/{name}", root, read_only=False)
    (root / DESK[1:]).mkdir()
    if not (root / "tmp").exists():
        (root / "tmp").symlink_to(DESK)
    (root / "old").mkdir()
    os.chdir(root)
    number = PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise SandboxError(
            f"No sandbox for {platform.machine()} is known here.", fix="add --without-sandbox."
        )
    _do("a root of its own", libc().syscall(number, b".", b"old"))
    os.chdir("/")
    _do("leaving the old root", libc().umount2(b"/old", DETACH))
    os.rmdir("/old")
    os.chmod("/", 0o755)
    _read_only("/")


def _hidden_place(readable: list[str]) -> Path:
    """A folder that nothing readable is in: the new root is made there, which hides it."""
    for place in ("/mnt", "/media", "/srv", "/tmp", "/var/tmp", "/opt", "/home"):
        if os.path.isdir(place) and not any(
            f"{each}/".startswith(f"{place}/") for each in readable
        ):
            return Path(place)
    raise SandboxError(
        "There is no folder in which to make a sandbox.", fix="make an empty folder /mnt."
    )


def _mount_memory(path: Path, size: int) -> None:
    options = f"size={size},nr_inodes=20000,mode=0777".encode()
    flags = NO_SETUID | NO_DEVICES
    _do("a disk in memory", libc().mount(b"tmpfs", bytes(path), b"tmpfs", flags, options))


def _show(path: str, root: Path, read_only: bool = True) -> None:
    """Shows a file or folder in the new root; a link stays a link."""
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.islink(path):
        if not os.path.lexists(target):
            target.symlink_to(os.readlink(path))
        return
    if os.path.isdir(path):
        target.mkdir(exist_ok=True)
    elif not target.exists():
        target.touch()
    _do("a view of files", libc().mount(path.encode(), bytes(target), None, BIND | RECURSIVE, None))
    if read_only:
        _read_only(str(target))


def _read_only(path: str) -> None:
    class Attributes(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "spread", "users")]

    wanted = Attributes(READ_ONLY | NO_SETUID | NO_DEVICES, 0, 0, 0)
    below = 0x8000 if path != "/" else 0
    size = ctypes.sizeof(wanted)
    arguments = (SET_ATTRIBUTES, -100, path.encode(), below, ctypes.byref(wanted), size)
    _do("read-only files", libc().syscall(*map(_wide, arguments)))


def _wide(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def apart(proc: int) -> int:
    """The second layer: returns 0 in the worker, and its process number in the process before."""
    users = (os.geteuid(), os.getegid())
    libc().prctl(READABLE, 1, 0, 0, 0)  # for a moment: its map of users is written there
    kinds = NEW_USERS | NEW_FILES | NEW_PROCESSES | NEW_IPC
    _do("unshare for a worker", libc().unshare(kinds))
    _map_users(proc, *users)
    libc().prctl(READABLE, 0, 0, 0, 0)
    child = os.fork()
    if child == 0:
        die_with_parent()
        _mount_memory(Path(DESK), ROOM)
    return child


def limits(cpu: float) -> None:
    """Bounds what a worker may use; for a process that is about to run an answer."""
    import resource  # not on every system; without it there is no sandbox either

    bounds = {
        resource.RLIMIT_CPU: int(cpu) + 1,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: ROOM,
        resource.RLIMIT_NPROC: PROCESSES,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        _, most = resource.getrlimit(kind)
        bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(kind, (bound, bound))


def give_up_rights() -> None:
    """No right is left, and none can be had again."""

    class Head(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("process", ctypes.c_int)]

    head, none = Head(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc().prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)
    _do("giving up rights", libc().capset(ctypes.byref(head), none))


def die_with_parent() -> None:
    """Asks the system to end this process when its parent has ended, where it can be asked."""
    if sys.platform == "linux":
        libc().prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def first_to_go() -> None:
    """Lets the system end this process and those below it first where memory runs out.

    Each process has its limit, but an answer may start several.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
