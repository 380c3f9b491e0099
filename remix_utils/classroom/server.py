"""JupyterLab in a process that ends with the `remix lab` that started it, however that one ended.

    python -m remix_utils.classroom.server OPTIONS OF JUPYTERLAB

Its standard input is a pipe from `remix lab`. The system closes the pipe when `remix lab` is gone, killed or not.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from remix_utils.interrupts import STOPPED

PATIENCE = 30.0  # seconds for kernels to end


def end_with_starter() -> None:
    """Waits for the end of the pipe, then stops the server, and with it its kernels."""
    while os.read(0, 1024):
        pass
    from jupyter_server.serverapp import ServerApp

    if not ServerApp.initialized():
        os._exit(STOPPED)
    ServerApp.instance().stop()
    time.sleep(PATIENCE)
    os._exit(STOPPED)  # a server that does not stop must not stay


def main() -> None:
    """Starts JupyterLab."""
    threading.Thread(target=end_with_starter, daemon=True).start()
    from jupyterlab.labapp import main as start

    start(sys.argv[1:])


if __name__ == "__main__":
    main()
