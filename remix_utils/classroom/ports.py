"""Ports of this machine for servers that only it can reach."""

from __future__ import annotations

import socket

FIRST_PORT, BOARD_PORT, PORTS = 8888, 8700, 100
HIGHEST = 65535


def free_port(first: int = FIRST_PORT, ports: int = PORTS) -> int | None:
    """Returns the first port on this machine that nobody listens on, or None.

    >>> free_port() >= FIRST_PORT
    True
    """
    for port in range(first, min(first + ports, HIGHEST + 1)):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return None
