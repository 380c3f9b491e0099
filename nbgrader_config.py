"""nbgrader's settings: from solutions/ to the days' folders, and defaults that protect a class from one bad notebook.

The days' folders are built by `make notebooks`. `nbgrader generate_assignment` reads the same settings and fills the
gradebook, but it deletes the folder that it releases to when it fails: run it in a copy of the course, not here.
"""

import os
import sys
from pathlib import Path

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    OverwriteCells,
    OverwriteKernelspec,
)

from remix_utils.classroom.repairs import ForgetDuplicates, JudgeByTheCourse, RestoreHoles

c = get_config()  # noqa: F821 - nbgrader provides it

# nbgrader runs alembic by its name, also where this environment was never activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

c.CourseDirectory.course_id = "remix"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "."
# Every other file beside a source notebook is copied to the students, `checks/*.remix` on purpose.
# Masters and the checks' source hold solutions.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "__pycache__",
    "*.pyc",
    "*.py",
    "*.md",
    "*.toml",
    ".remix",
]
c.CourseDirectory.max_file_size = 100_000  # kilobytes

c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()  # your code here"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# A check limits the answer's own time; these are a backstop for a cell that hangs by itself.
c.ExecutePreprocessor.timeout = 900
c.Execute.timeout = 900
c.OverwriteCells.add_missing_cells = True  # a deleted test is put back and run
c.JudgeByTheCourse.checks = str(Path(__file__).resolve().parent / "solutions")
c.Autograde.sanitize_preprocessors = [
    JudgeByTheCourse,
    ForgetDuplicates,
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    RestoreHoles,
    OverwriteCells,
    CheckCellMetadata,
]
