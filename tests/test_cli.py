"""The `remix` command: help that can be read, errors with a fix, and Ctrl-C in one line."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from remix_utils import cli
from remix_utils.classroom import commands
from remix_utils.classroom.doctor.finding import Finding

COMMANDS = ("doctor", "lab", "start", "pair", "solution", "model", "finding")
PATIENCE = 600  # seconds, for a machine that has other work


def remix(*arguments: str, **how) -> subprocess.CompletedProcess:
    """The command as a process of its own."""
    return subprocess.run([sys.executable, "-m", "remix_utils", *arguments], capture_output=True, text=True, **how)


def test_remix_alone_prints_help(capsys):
    """Without a command one reads what there is, and that is no failure."""
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: remix COMMAND") and "Start with: remix lab" in printed
    assert [name for name in COMMANDS if f"\n    {name} " not in printed] == []


@pytest.mark.parametrize("module", ["remix_utils", "remix_utils.cli"])
def test_help_is_printed_by_either_module_and_without_torch(module, tmp_path):
    """`python -m` gives what `remix` gives; neither help nor version nor an error imports an installed package."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('torch', 'numpy', 'packaging', 'tqdm', 'IPython', 'platformdirs'):\n"
        "            raise SystemExit(f'{name} was imported')\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    for arguments, status in (([], 0), (["-h"], 0), (["--version"], 0), (["lab", "-h"], 0), (["bogus"], 2)):
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert (done.returncode, "was imported" in done.stderr) == (status, False), done.stderr
        assert done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_usage_of_a_command_is_how_it_is_typed(command, capsys):
    """Its help begins with `usage: remix COMMAND`, and says something of every option."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "-h"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and printed.startswith(f"usage: remix {command} ")
    lines = re.findall(r"^  (--?\w[^\n]*?)(?:  +(\S.*)|\n +(\S.*))$", printed, re.MULTILINE)
    assert lines and all(first or second for _, first, second in lines)


def test_the_version_names_python_too(capsys):
    """One line, for a question in a forum."""
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert re.fullmatch(r"remix \S+, Python 3\.\d+\.\d+\S*\n", capsys.readouterr().out)


WRONG = {
    ("bogus",): "remix: there is no command 'bogus'; there is doctor, lab, ",
    ("x" * 10**5,): "remix: there is no command 'xxxx",
    ("lab", "1", "2"): "unrecognized arguments: 2",
    ("solution",): "remix solution: the following arguments are required: id",
    ("model", "gpt"): "remix model: there is no name 'gpt'; there is smollm2",
    ("lab", "--port", "0"): "'0' is no port; ports are whole numbers from 1 to 65535",
    ("lab", "--port", "65536"): "'65536' is no port",
    ("lab", "--port=-1"): "'-1' is no port",
    ("lab", "--port", "99999999"): "'99999999' is no port",
    ("lab", "--port", "8e3"): "'8e3' is no port",
    ("lab", "--port", "٣٣٣"): "is no port",
}


@pytest.mark.parametrize("arguments", WRONG, ids=lambda arguments: " ".join(arguments)[:30])
def test_a_wrong_call_is_named_and_has_a_fix(arguments, capsys, monkeypatch):
    """Status 2, nothing on stdout, one fact of reasonable length, and how it is written."""
    monkeypatch.setattr(commands, "open_lab", lambda *_: pytest.fail("JupyterLab was opened"))
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert WRONG[arguments] in printed.err and len(printed.err) < 300
    assert re.search(r"\n  fix: remix( \w+)? -h shows how it is written\.\n$", printed.err)


def test_an_error_of_ours_is_its_message(capsys):
    """Without a traceback, and with status 2."""
    assert cli.main(["lab", "day99"]) == 2
    assert "There is no notebook for 'day99'" in capsys.readouterr().err


def test_the_doctor_prints_every_finding_and_every_fix(monkeypatch, capsys):
    """A bad finding is followed by its fix, and the command fails; without one it says what to do next."""
    monkeypatch.setattr(
        commands, "examine", lambda _: ["the lock", Finding("one is well"), Finding("two is not", fix="mend it.")]
    )
    assert cli.main(["doctor"]) == 1
    assert "BAD  two is not\n       fix: mend it.\n1 of these" in capsys.readouterr().out
    monkeypatch.setattr(commands, "examine", lambda _: [Finding("one is well")])
    assert cli.main(["doctor"]) == 0
    assert "Next: remix lab" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_error():
    """`remix | head` prints no traceback."""
    command = f"{sys.executable} -m remix_utils -h | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("u", "")


# Ctrl-C while the command imports and works. Python itself needs a moment before the command's first line runs.
MOMENTS = """
import signal, sys, threading, time
started = time.monotonic()
import remix_utils.cli
def stop():
    time.sleep({after})
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
from remix_utils.interrupts import Interrupts
class Timed(Interrupts):
    def __enter__(self):
        entered = super().__enter__()
        threading.Thread(target=stop, daemon=True).start()
        return entered
import remix_utils.interrupts
remix_utils.interrupts.Interrupts = Timed
sys.argv = ["remix", *{arguments!r}]
sys.exit(remix_utils.cli.main())
"""


@pytest.mark.parametrize("after", [0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2.5])
@pytest.mark.parametrize("arguments", [["doctor"], ["solution", "d1.1.1", "--yes"]], ids=" ".join)
def test_ctrl_c_is_one_line(after, arguments):
    """Whatever is being imported or examined at that moment; a command that was faster is whole."""
    code = MOMENTS.format(after=after, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode == cli.STOPPED:
        assert done.stderr.strip() == cli.STOP_SENTENCE
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_leaves_no_process(tmp_path):
    """The doctor's trial of the packages ends with the doctor."""
    doctor = subprocess.Popen(
        [sys.executable, "-m", "remix_utils", "doctor"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in doctor.stdout:
        if "where they were installed" in line:
            break
    time.sleep(0.5)
    doctor.send_signal(signal.SIGINT)
    _, errors = doctor.communicate(timeout=PATIENCE)
    assert (doctor.returncode, errors.strip()) == (cli.STOPPED, cli.STOP_SENTENCE)
    with pytest.raises(ProcessLookupError):
        os.killpg(doctor.pid, 0)


def test_a_command_that_ignores_ctrl_c_goes_on_ignoring_it():
    """As one that was started in the background by a script."""
    ignored = "trap '' INT; exec \"$@\""
    command = ["bash", "-c", ignored, "bash", sys.executable, "-m", "remix_utils", "doctor"]
    doctor = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    doctor.stdout.readline()
    doctor.send_signal(signal.SIGINT)
    printed, errors = doctor.communicate(timeout=PATIENCE)
    assert errors == "" and "Next: remix lab" in printed
