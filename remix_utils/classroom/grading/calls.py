"""System calls that an answer has no use for, refused by a filter (seccomp) that nothing takes off.

What they would give: processes, whose memory and CPU time nobody counts; memory outside a process,
such as that of a memfd or of a disk in a namespace of one's own; sockets that leave the machine in
spite of its namespaces, such as those to the host of a virtual machine; keys that stay.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

# Each with its numbers on x86_64 and on aarch64; None where it has none.
REFUSED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "userfaultfd": (323, 282),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
THREAD, LOCAL = 0x10000, 1  # the flag of a new thread; sockets within one machine
OTHER_TABLE = 0x40000000  # from here on, numbers of x32, which are other names of the same calls
LOAD, EQUAL, AT_LEAST, HAS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, MACHINE, FIRST = 0, 4, 16  # where the filter finds the facts of a call
SET_FILTER, FILTER = 22, 2


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """Returns the filter for a machine: code, steps if true, steps if false, operand.

    >>> program("x86_64")[0]
    (32, 0, 0, 4)
    """
    column, own = MACHINES[machine]
    refuse = (RETURN, 0, 0, REFUSE | errno.EPERM)
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, own), (RETURN, 0, 0, KILL)]
    lines += [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, OTHER_TABLE), refuse]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            lines += [(EQUAL, 0, 1, number), refuse]
    lines += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    for numbers, test, operand in ((CLONE, HAS, THREAD), (SOCKET, EQUAL, LOCAL)):
        lines += [(EQUAL, 0, 4, numbers[column]), (LOAD, 0, 0, FIRST), (test, 1, 0, operand)]
        lines += [refuse, (RETURN, 0, 0, ALLOW)]
    return [*lines, (RETURN, 0, 0, ALLOW)]


def refuse_the_rest() -> None:
    """Puts the filter on this process, for good; OSError where the system has none."""
    packed = b"".join(struct.pack("HBBI", *line) for line in program(platform.machine()))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_char_p)]

    wanted = Program(len(packed) // 8, packed)
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = ctypes.c_ulong(FILTER), ctypes.byref(wanted), ctypes.c_ulong(0), ctypes.c_ulong(0)
    if libc.prctl(SET_FILTER, *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"a filter of system calls is refused ({os.strerror(number)})")
