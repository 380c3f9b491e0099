"""What one pair tries against another pair and the instructor, as code for a kernel of its own.

The trial sets the names that the code uses: `victim`, `course`, `submission` (its full path, which the thief could not
know), `exchange` and so on. Each attempt must end in an error; the forgeries may be made, and must be worth nothing.
"""

ASK = """
import requests
def ask(path, method="GET", **options):
    answer = requests.request(method, address + path, headers={"Authorization": "token " + token}, **options)
    assert answer.url.startswith(address + path), "refused: sent on to " + answer.url[len(address):][:60]
    answer.raise_for_status()
    return answer.text
"""

FIND_SOLUTIONS = (
    "find / -path /proc -prune -o -path /sys -prune -o -readable -name part1_hooks.py -print 2>/dev/null || true"
)

BEFORE_GRADING = {
    "to list the other pair's home": "import os; os.listdir(victim_home)",
    "to read the other pair's notebook": "open(f'{victim_home}/{day}/{part}.ipynb').read()",
    "to read what the other pair submitted, whose secret name it was told": (
        "import os; print(os.listdir(submission)); open(f'{submission}/{part}.ipynb').read()"
    ),
    "to change that submission": "open(f'{submission}/{part}.ipynb', 'w').write('{}')",
    "to add a file to that submission": "open(f'{submission}/new.txt', 'w').write('x')",
    "to remove that submission": "import os; os.rename(submission, submission + '.gone')",
    "to list all submissions": "import os; os.listdir(exchange + '/inbound')",
    "to move the exchange away": "import os; os.rename(exchange, exchange + '.gone')",
    "to release a day of its own": "import os; os.mkdir(exchange + '/outbound/day9')",
    "to read the other pair's progress": "import os; os.listdir(f'{data}/progress/{victim}')",
    "to list all progress": "import os; os.listdir(f'{data}/progress')",
    "to write into the other pair's progress": "open(f'{data}/progress/{victim}/x', 'w')",
    "to list the course": "import os; os.listdir(course)",
    "to read the solutions": "open(f'{course}/solutions/{day}/{part}.py').read()",
    "to read the solutions' notebook": "open(f'{course}/solutions/{day}/{part}.ipynb').read()",
    "to find the solutions' folder anywhere it may look": (
        "import subprocess\n"
        f"found = subprocess.run({FIND_SOLUTIONS!r}, shell=True, capture_output=True, text=True).stdout\n"
        "assert 'solutions' in found, 'nothing found, but ' + found"
    ),
    "to read the passwords": "open(f'{env}/etc/remix/passwords.txt').read()",
    "to read the Hub's database": "open(f'{data}/hub/jupyterhub.sqlite', 'rb').read()",
    "to change the course's package": "import remix_utils; open(remix_utils.__file__, 'a')",
    "to change nbgrader's settings": "open(f'{env}/etc/jupyter/nbgrader_config.py', 'a')",
    "to read the environment of the other pair's kernel": "open(f'/proc/{victim_pid}/environ').read()",
    "to end the other pair's kernel": "import os; os.kill(int(victim_pid), 15)",
    "to read the key of the other pair's kernel": "import os; os.listdir(victim_runtime)",
    "to read a notebook through the other pair's server": (
        ASK + "ask(f'/user/{victim}/api/contents/{day}/{part}.ipynb')"
    ),
    "to start a kernel in the other pair's server": ASK + "ask(f'/user/{victim}/api/kernels', 'POST', json={})",
    "to read the solutions through the instructor's server": (
        ASK + "ask(f'/user/{instructor}/api/contents/remix/solutions/{day}/{part}.ipynb')"
    ),
    "to open the instructor's Formgrader": ASK + "ask(f'/user/{instructor}/formgrader')",
    "to see the other pair at the Hub": ASK + "ask(f'/hub/api/users/{victim}')",
    "to list the accounts at the Hub": ASK + "assert len(ask('/hub/api/users')) < 3",
    "to become an instructor": (
        ASK + "ask('/hub/api/groups/formgrade-remix/users', 'POST', json={'users': [__import__('getpass').getuser()]})"
    ),
}

# Made without an error, since everybody may put something into `inbound`.
FORGERIES = {
    "to submit in the other pair's name, with a later time": (
        "import os\n"
        "forged = f'{exchange}/inbound/{victim}+{day}+2099-01-01 00:00:00.0 UTC+forged'\n"
        "os.mkdir(forged)\n"
        "open(f'{forged}/{part}.ipynb', 'w').write('forged')"
    ),
    "to submit with no time at all": "os.mkdir(f'{exchange}/inbound/{victim}+{day}+soon+x')",
    "to submit links to the solutions, and a pipe": (
        "import datetime\n"
        "now = datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%d %H:%M:%S.%f UTC')\n"
        "own = f'{exchange}/inbound/{os.environ[\"USER\"]}+{day}+{now}+links'\n"
        "os.mkdir(own)\n"
        "open(f'{own}/own.txt', 'w').write('mine')\n"
        "os.symlink(f'{course}/solutions/{day}/{part}.ipynb', f'{own}/{part}.ipynb')\n"
        "os.symlink(f'{course}/solutions', f'{own}/solutions')\n"
        "os.symlink(f'{victim_home}/{day}', f'{own}/theirs')\n"
        "os.mkfifo(f'{own}/pipe')"
    ),
}

AFTER_GRADING = {
    "to read the gradebook": "open(f'{course}/gradebook.db', 'rb').read()",
    "to change the gradebook": "open(f'{course}/gradebook.db', 'r+b')",
    "to read the other pair's graded work": "import os; os.listdir(f'{course}/feedback/{victim}')",
    "to read what was collected": "import os; os.listdir(f'{course}/submitted')",
    "to list the released feedback": "import os; os.listdir(exchange + '/feedback')",
    "to read the other pair's fetched feedback": "import os; os.listdir(f'{victim_home}/{day}/feedback')",
    "to fetch feedback in the other pair's name": (
        "import glob, subprocess\n"
        "subprocess.run(['nbgrader', 'fetch_feedback', day, f'--student={victim}'], cwd='/tmp', capture_output=True)\n"
        "pages = [open(page).read() for page in glob.glob(f'/tmp/{day}/feedback/*/*.html')]\n"
        "assert any(victim in page for page in pages), 'nothing of the other pair, whatever of its own'"
    ),
}
