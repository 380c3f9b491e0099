#!/usr/bin/env bash
# One course from release to feedback on a real JupyterHub: its proxy, three Unix accounts, their servers and kernels.
#
#     sudo deploy/try.sh
#
# It installs the Hub by install.py into a temporary folder, which takes torch and the rest from the course's .venv, and
# makes three accounts, which it removes at the end. Hub, proxy, servers and kernels listen on this machine only and end
# with the script. It needs the network for JupyterHub (PyPI) and its proxy (npm), and takes five to twenty minutes.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "$0")/.." && pwd)
NAMES=(trial-ines trial-pair1 trial-pair2)
GROUP=remix-instructors

refuse() { echo "$1" >&2; echo "  fix: $2" >&2; exit 2; }

[ "$(id -u)" = 0 ] || refuse "This makes accounts, and so must run as root." "sudo deploy/try.sh, on a machine of your own."
for name in "${NAMES[@]}"; do
  ! getent passwd "$name" >/dev/null || refuse "There is an account $name." "use a machine without a user of that name."
done
! getent group $GROUP >/dev/null || refuse "There is a group $GROUP." "use a machine without a Hub of the course."
for tool in node npm unshare setpriv; do
  command -v $tool >/dev/null || refuse "$tool is missing." "apt-get install nodejs npm util-linux"
done

# Every account must be able to run the Python and to read the packages.
SITE=$("$ROOT/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
VERSION=$("$ROOT/.venv/bin/python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@" 2>/dev/null; }
BASE=$("$ROOT/.venv/bin/python" -c 'import os, sys; print(os.path.realpath(sys.executable))')
PYTHON=
for candidate in "$BASE" "/usr/bin/$VERSION" "/usr/local/bin/$VERSION"; do
  if as_nobody test -x "$candidate" && as_nobody "$candidate" -c 'import ensurepip'; then PYTHON=$candidate; break; fi
done
[ -n "$PYTHON" ] || refuse "No $VERSION here can be run by every account." "apt-get install $VERSION-venv"
as_nobody test -r "$SITE/nbgrader/__init__.py" || refuse "Other accounts cannot read $SITE." "clone the course to /srv."

# /var/tmp, since each account gets an empty /tmp of the trial.
FOLDER=$(mktemp -d /var/tmp/remix-try.XXXXXX)
chmod 711 "$FOLDER"
clean_up() {
  for name in "${NAMES[@]}"; do
    for _ in $(seq 60); do # until the processes of the account are gone
      getent passwd "$name" >/dev/null || break
      userdel --remove "$name" 2>/dev/null || sleep 0.5
    done
  done
  if getent group $GROUP >/dev/null; then groupdel $GROUP; fi
  if [ -n "${KEEP:-}" ]; then echo "The Hub's log is $FOLDER/hub.log"; else rm -rf "$FOLDER"; fi
}
trap clean_up EXIT

echo "Installing the Hub in $FOLDER, with $PYTHON"
INSTRUCTOR=${NAMES[0]}
useradd --create-home --shell /bin/bash --user-group "$INSTRUCTOR"
HOME_OF_INSTRUCTOR=$(getent passwd "$INSTRUCTOR" | cut -d: -f6)
chmod 700 "$HOME_OF_INSTRUCTOR"
mkdir "$HOME_OF_INSTRUCTOR/remix"
(cd "$ROOT" && git -c safe.directory="$ROOT" ls-files -z --cached --others --exclude-standard \
  | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done \
  | tar --create --null --files-from=-) | tar --extract --directory "$HOME_OF_INSTRUCTOR/remix"
PASSWORD=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "$INSTRUCTOR:$PASSWORD" | chpasswd
chown -R "$INSTRUCTOR:$INSTRUCTOR" "$HOME_OF_INSTRUCTOR/remix"
cat >"$FOLDER/cohort.toml" <<TOML
instructor = "$INSTRUCTOR"
course = "$HOME_OF_INSTRUCTOR/remix"
data = "$FOLDER/data"
assistants = []
pairs = ["${NAMES[1]}", "${NAMES[2]}"]
TOML
"$PYTHON" "$HOME_OF_INSTRUCTOR/remix/deploy/install.py" "$FOLDER/cohort.toml" --prefix "$FOLDER/env" --sees "$SITE"
(umask 077 && echo "$INSTRUCTOR $PASSWORD" >>"$FOLDER/env/etc/remix/passwords.txt")

# Inside the environment, as on a server: the sandbox of `remix grade` lets an answer read nothing else. Hard links,
# where the disk is the same, cost neither time nor room.
cp -al "$SITE" "$FOLDER/env/packages" 2>/dev/null || { rm -rf "$FOLDER/env/packages" && cp -a "$SITE" "$FOLDER/env/packages"; }
echo "$FOLDER/env/packages" >"$(echo "$FOLDER"/env/lib/python*/site-packages)/course.pth"

# As on a server of one's own: nothing of this clone can be seen, /tmp is empty, and no process that the trial starts
# outlives it.
export ROOT FOLDER
unshare --mount --pid --fork --kill-child --mount-proc bash -euo pipefail -c '
  mount -t tmpfs -o mode=755 tmpfs "$ROOT"
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  cd "$FOLDER"
  exec "$FOLDER/env/bin/python" "$1/deploy/trial.py" "$FOLDER"
' trial "$HOME_OF_INSTRUCTOR/remix"
