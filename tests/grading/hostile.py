"""First holes of the tiny day that try to get points they have not earned, or that misbehave."""

BY_HEART = "\ndef double(n):\n    return {0: 0, 3: 6}.get(n)"
DOORS = """
import os, socket

def is_open(door):
    try:
        door()
        return True
    except OSError:
        return False

doors = [
    os.fork,
    lambda: os.memfd_create("memory that nobody counts"),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: socket.socket(),
    lambda: socket.socket(40, socket.SOCK_STREAM),  # AF_VSOCK: to the host, whatever the namespaces
    lambda: os.listdir("/proc/1"),
    lambda: open("/usr/written", "w"),
    lambda: os.kill(os.getppid() or 2**22, 0),
]
found = [number for number, door in enumerate(doors) if is_open(door)]

def double(n):
    assert not found, found
    return n + n
"""
CHEATS = {
    "check replaced": "check = lambda *arguments, **named: None",
    "harness replaced": "import remix_utils.checks.harness as h\nh.Check = h.judge = lambda *a, **k: []",
    "judge replaced": """
        import remix_utils.checks.judge as j, remix_utils.checks.compare as c
        j.judge = j.judge_outcomes = lambda *a, **k: []
        c.difference = lambda *a, **k: None
    """,
    "always equal": """
        class Yes(int):
            __eq__ = __ge__ = __le__ = lambda self, other: True
            __hash__ = int.__hash__
        def double(n):
            return Yes(1)
    """,
    "always equal object": """
        class Yes:
            __eq__ = lambda self, other: True
            __len__ = lambda self: 1
            __array__ = lambda self, *a, **k: None
        def double(n):
            return Yes()
    """,
    "reads the course": """
        import pathlib, remix_utils
        course = pathlib.Path(remix_utils.__file__).parents[1]
        found = [*course.glob("solutions/*/checks/*"), *course.glob("day*/checks/*"), *course.glob("tests/*")]
        double = {"n": found[0]}.get
    """,
    "asks the package": """
        from remix_utils.checks.part import load
        double = load("d9.1.1").reference("d9.1.1")
    """,
    "start_at": 'from remix_utils import start_at\nstart_at("d9.1.2")',
    "solution": 'from remix_utils import solution\nsolution("d9.1.1")',
    "asks for the oracle": """
        from remix_utils.checks.part import given
        double, = given("d9.1", "double")
    """,
    "looks into memory": """
        import gc
        found = [o for o in gc.get_objects() if type(o).__name__ in ("Exercise", "Trial", "Part")]
        assert found, "no exercise in memory"
        double = found[0].reference
    """,
    "ends": "import os\nos._exit(0)",
    "garbage on the pipe": 'import os\nos.write(3, b"rmx1" + b"\\xff" * 4000)',
    "a huge frame": 'import os, struct\nos.write(3, struct.pack("!4sIQI", b"rmx1", 1, 2**62, 10))',
    "a forged answer": """
        import json, os, struct
        body = json.dumps({"kind": "value", "things": [], "body": ["yours", 1], "changed": [],
                           "hooks": [], "shown": [], "printed": "", "noted": []}).encode()
        os.write(3, struct.pack("!4sIQI", b"rmx1", 0, 0, len(body)) + body)
    """,
    "the judge's own objects": """
        import gc
        peer = next(o for o in gc.get_objects() if type(o).__name__ == "WorkerPeer")
        double = peer.ask("get", (1, "__globals__"))
    """,
    "a function by name": """
        import gc
        from remix_utils.classroom.grading import worker_peer
        worker_peer.WorkerPeer.handle = lambda self, encoder, value: ["named one", "os", "getpid"]
        def double(n):
            return object()
    """,
}
BAD = {  # in the first hole; the second rests on it, so that both are lost
    "endless": ("def double(n):\n    while True:\n        pass", [0, 0]),
    "input": ("def double(n):\n    return int(input())", [0, 0]),
    "leaves": ("import sys\nsys.exit(0)", [0, 0]),
    "no Python": ("def double(n:\n    return", [0, 0]),
    "memory": ("def double(n):\n    x = bytearray(60 << 30)\n    return 2 * n", [0, 0]),
    "deep": ("def double(n):\n    return double(n)", [0, 0]),
    "square": ("def double(n):\n    return n * n", [0, 0]),
    "half a character": ("def double(n):\n    raise ValueError('\\ud800')", [0, 0]),
    "prints": ("def double(n):\n    print('x' * 10**7)\n    return 2 * n", [2, 3]),
    "noisy": ("import sys\ndef double(n):\n    print('e', file=sys.stderr)\n    return 2 * n", [2, 3]),
    "detached": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\ndef double(n):\n    return n + n",
        [0, 3],
    ),
    "a thread on stderr": (
        "import sys, threading\ndef run():\n    while True: print('e', file=sys.stderr)\n"
        "threading.Thread(target=run, daemon=True).start()\ndef double(n):\n    return n + n",
        [2, 3],
    ),
    "an endless range": ("def double(n):\n    return range(10**12)", [0, 0]),
    "an error of the sandbox": (
        "from remix_utils.classroom.grading.sandbox import SandboxError\n"
        "def double(n):\n    raise SandboxError('no sandbox', fix='stop')",
        [0, 0],
    ),
    "tries the doors": (DOORS, [2, 3]),  # which are all shut
    "fork bomb": (
        "import os\ntry:\n    while True:\n        os.fork()\nexcept OSError:\n    pass\n"
        "def double(n):\n    return 2 * n",
        None,
    ),
}
