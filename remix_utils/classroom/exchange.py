"""nbgrader's exchange, where several Unix accounts share one folder: who may read a submission, and whose it is.

nbgrader leaves submissions readable to everybody and hides them by their random names. It believes the name of the
student that a submission carries, and follows links in it with the instructor's rights.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback, ExchangeSubmit
from nbgrader.utils import notebook_hash, parse_utc

LONG_AGO = "1970-01-01 00:00:00 UTC"
MOST_FILES = 1000
WRITTEN_LATE = ("timestamp.txt", "submission_secret.txt")  # by nbgrader, after it has copied the folder
KILOBYTE = 1000


class SealedSubmit(ExchangeSubmit):
    """Submits so that nobody but the sender and the group of `inbound`, the instructors, can read it."""

    def set_perms(self, dest, fileperms, dirperms):
        for name in WRITTEN_LATE:
            self._give_group_of_inbound(Path(dest, name))
        super().set_perms(dest, fileperms & ~stat.S_IRWXO, dirperms & ~stat.S_IRWXO)

    def _give_group_of_inbound(self, file: Path) -> None:
        """Makes a file anew in a folder that hands its group down, since a sender may not change a file's group.

        nbgrader's copy of a folder loses the bit by which `inbound` hands down the group of the instructors, so that
        files written into it afterwards have the sender's group, and no instructor could read them.
        """
        with tempfile.TemporaryDirectory(dir=self.inbound_path) as folder:
            os.replace(shutil.copyfile(file, Path(folder, file.name)), file)

    def copy_files(self):
        super().copy_files()
        # nbgrader has just opened the folder itself to everybody, so that an instructor can remove it.
        os.chmod(os.path.join(self.inbound_path, self.assignment_filename), 0o2770)


class GuardedCollect(ExchangeCollect):
    """Collects a submission as that of the account which owns it, and of its files only the plain ones."""

    coursedir: Any  # a trait of nbgrader's, of which pyright sees no attributes

    def _path_to_record(self, path):
        """Takes the student from the owner of the folder, and the time from its name; nothing in it stops a batch."""
        name, owner = os.path.basename(path), self._owner(path)
        fields = name.rsplit("+", 3)
        if fields[0] != owner:
            self.log.warning("%s is named after %s but owned by %s: it counts as %s's.", path, fields[0], owner, owner)
        return {"username": owner, "filename": name, "timestamp": parse_utc(_time_in(name))}

    def _owner(self, path) -> str:
        import pwd  # only Unix has it

        number = os.lstat(path).st_uid
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:
            return f"uid{number}"

    def do_copy(self, src, dest, log=None):
        """Copies the plain files of the folder's owner; links, pipes and other people's files are left out."""
        owner, left = os.lstat(src).st_uid, self.coursedir.max_dir_size * KILOBYTE
        for count, (name, file) in enumerate(self._plain_files(src, owner)):
            size = os.fstat(file.fileno()).st_size
            left -= size
            if count == MOST_FILES or left < 0:
                self.log.warning("%s is too large: it is collected up to %s only.", src, name)
                break
            if size > self.coursedir.max_file_size * KILOBYTE:
                self.log.warning("%s of %s is left out: it has %s bytes.", name, src, f"{size:,}")
                continue
            target = Path(dest, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read(size))
        Path(dest).mkdir(parents=True, exist_ok=True)
        # nbgrader gives up a whole batch where one of these cannot be read.
        Path(dest, "timestamp.txt").write_text(_time_in(os.path.basename(src)))
        secret = Path(dest, "submission_secret.txt")
        if not secret.exists() or not secret.read_bytes().strip().isalnum():
            secret.write_text(secrets.token_hex(64))

    def _plain_files(self, src, owner: int) -> Iterator[tuple[str, BinaryIO]]:
        """The files, opened without ever following a link, by their names in the folder."""
        ignored = shutil.ignore_patterns(*self.coursedir.ignore)
        # A link is not opened, and a pipe without a writer does not wait.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        for folder, folders, names, handle in os.fwalk(src, follow_symlinks=False):
            kept = set(folders) - ignored(folder, folders)
            folders[:] = sorted(kept)
            for name in sorted(set(names) - ignored(folder, names)):
                shown = os.path.relpath(os.path.join(folder, name), src)
                try:
                    with os.fdopen(os.open(name, flags, dir_fd=handle), "rb") as file:
                        facts = os.fstat(file.fileno())
                        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != owner:
                            raise OSError(errno.EINVAL, "it is no plain file of its sender")
                        yield shown, file
                except OSError as problem:
                    self.log.warning("%s of %s is left out: %s.", shown, src, problem.strerror)


class PageRelease(ExchangeReleaseFeedback):
    """Releases the pages of grading/feedback, each under names that only its student can compute."""

    coursedir: Any  # a trait of nbgrader's, of which pyright sees no attributes

    def init_src(self):
        self.src_path = os.path.join(self.coursedir.root, "grading", "feedback")

    def copy_files(self):
        day, excluded = self.coursedir.assignment_id, set(self.coursedir.student_id_exclude.split(","))
        for page in sorted(Path(self.src_path).glob(f"{self.coursedir.student_id}/{day}.html")):
            student = page.parent.name
            submission = Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, day))
            secret = submission / "submission_secret.txt"
            if student in excluded or not secret.exists():
                self.log.warning("The page of %s is not released: %s is missing, or excluded.", student, secret)
                continue
            # A student's nbgrader looks for one page for each notebook that was handed in.
            for notebook in submission.glob("*.ipynb"):
                name = notebook_hash(secret=secret.read_text(), notebook_id=notebook.stem)
                target = Path(self.dest_path, f"{name}.html")
                shutil.copyfile(page, target.with_suffix(".new"))
                target.with_suffix(".new").chmod(0o644)
                target.with_suffix(".new").replace(target)
            self.log.info("Released the page of %s for %s", student, day)


def _time_in(name: str) -> str:
    """Returns the time in the name of a submission, or one long ago where there is none that has been.

    >>> _time_in("pair01+day1_graphs+2026-11-28 10:00:00.5 UTC+8J2d")
    '2026-11-28 10:00:00.5 UTC'
    >>> _time_in("pair01+day1_graphs+2999-01-01 00:00:00.0 UTC+8J2d")
    '1970-01-01 00:00:00 UTC'
    """
    fields, tomorrow = name.rsplit("+", 3), datetime.now(UTC) + timedelta(days=1)  # clocks of a cluster may differ
    try:
        has_been = parse_utc(fields[2]) < tomorrow.replace(tzinfo=None)
    except (IndexError, ValueError, OverflowError):
        has_been = False
    return fields[2] if has_been else LONG_AGO
