"""JupyterHub for one cohort on one server: local accounts, one instructor, one account for each pair.

`deploy/install.py` puts it into the environment's etc/remix, beside cohort.toml, and makes the accounts and the
folders that it relies on. Run it with `jupyterhub -f /opt/remix/etc/remix/jupyterhub_config.py`, as root, since it
starts each server as the account that signed in.
"""

import grp
import os
import pwd
import sys
import tomllib
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub provides it

PREFIX = Path(sys.prefix)
COHORT = tomllib.loads((PREFIX / "etc" / "remix" / "cohort.toml").read_text(encoding="utf-8"))
DATA = Path(COHORT["data"])
INSTRUCTOR, STAFF = COHORT["instructor"], [COHORT["instructor"], *COHORT["assistants"]]
COURSE = "remix"

# The Hub: the browsers come through its proxy, which listens on this machine only. A web server with TLS stands before.

c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.JupyterHub.db_url = f"sqlite:///{DATA}/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{DATA}/hub/cookie_secret"
c.ConfigurableHTTPProxy.command = [str(PREFIX / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = f"{DATA}/hub/proxy.pid"

# Accounts: those of cohort.toml, with the passwords of the machine.

c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.open_sessions = False
c.Authenticator.allowed_users = {*STAFF, *COHORT["pairs"]}
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,31}"

# Roles: nbgrader takes the members of these two groups for the instructors and the students of the course.

INSTRUCTORS, STUDENTS = f"formgrade-{COURSE}", f"nbgrader-{COURSE}"
c.JupyterHub.load_groups = {
    INSTRUCTORS: {"users": STAFF},
    STUDENTS: {"users": COHORT["pairs"]},
}
OWN = ["users:activity!user", "access:servers!server", "read:users!user"]
STUDENT_LIST = ["list:groups", "read:groups", f"groups!group={STUDENTS}", "list:services"]
c.JupyterHub.load_roles = [
    {
        "name": "instructors",
        "description": "Sees who is in the course, and opens the server that holds it.",
        "scopes": [*STUDENT_LIST, f"servers!user={INSTRUCTOR}", f"access:servers!user={INSTRUCTOR}"],
        "groups": [INSTRUCTORS],
    }
]
# nbgrader asks the Hub for the groups of the account, with the token of its server.
c.Spawner.server_token_scopes = lambda spawner: OWN + (STUDENT_LIST if spawner.user.name in STAFF else [])

# Servers: JupyterLab in the account's home, whose kernels are reached through encrypted sockets.

c.JupyterHub.spawner_class = "localprocess"
c.Spawner.cmd = [str(PREFIX / "bin" / "jupyterhub-singleuser")]
ARGUMENTS = ["--KernelManager.transport_encryption=auto", "--LanguageServerManager.autodetect=False"]
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = "~"
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # the first start of the day, thirty at a time
c.Spawner.environment = {
    "PATH": f"{PREFIX}/bin:/usr/local/bin:/usr/bin:/bin",
    "REMIX_EXCHANGE": f"{DATA}/exchange",
    "REMIX_FOLDER": lambda spawner: f"{DATA}/progress/{spawner.user.name}",
    "OMP_NUM_THREADS": "1",  # thirty kernels on one machine
    "MKL_NUM_THREADS": "1",
}


def prepare_account(spawner):
    """Closes the home, makes the folder of progress, and gives tools and course to the instructors alone."""
    account = pwd.getpwnam(spawner.user.name)
    os.chmod(account.pw_dir, 0o700)
    folder = DATA / "progress" / account.pw_name
    folder.mkdir(exist_ok=True)
    # The board reads what a pair writes: new files belong to the group of the folder.
    os.chown(folder, account.pw_uid, grp.getgrnam("remix-instructors").gr_gid)
    os.chmod(folder, 0o2750)
    kind, umask = ("staff", 0o022) if account.pw_name in STAFF else ("pairs", 0o027)
    spawner.popen_kwargs = {"umask": umask}
    spawner.args = [*ARGUMENTS, f"--LabApp.app_settings_dir={PREFIX}/etc/remix/lab/{kind}"]
    if account.pw_name == INSTRUCTOR:
        spawner.environment["REMIX_COURSE"] = COHORT["course"]


c.Spawner.pre_spawn_hook = prepare_account
