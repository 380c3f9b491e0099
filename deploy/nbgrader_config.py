"""nbgrader on the Hub: one exchange for all accounts, one course root, the Hub's groups as the list of students.

`deploy/install.py` puts this file into the environment's etc/jupyter, where the servers and the commands of every
account read it. The instructor's own nbgrader_config.py, in the course, is read after it.
"""

import os

from nbgrader.auth import JupyterHubAuthPlugin

from remix_utils.classroom.exchange import GuardedCollect, PageRelease, SealedSubmit

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "remix"
c.CourseDirectory.max_file_size = 100_000  # kilobytes
# `checks/*.remix` are handed in with the notebooks; the grader judges by the course's own.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "__pycache__", "*.pyc", ".remix", "feedback"]
c.Exchange.root = os.environ.get("REMIX_EXCHANGE", "/srv/remix/exchange")
c.Authenticator.plugin_class = JupyterHubAuthPlugin
c.ExchangeFactory.submit = SealedSubmit
c.ExchangeFactory.collect = GuardedCollect
c.ExchangeFactory.release_feedback = PageRelease

# The Hub sets it for the instructor alone, whose server and terminals may stand in any folder.
if "REMIX_COURSE" in os.environ:
    c.CourseDirectory.root = os.environ["REMIX_COURSE"]
