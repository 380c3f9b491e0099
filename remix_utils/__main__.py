"""`python -m remix_utils`, for a terminal in which `remix` is not on the PATH."""

import sys

from remix_utils.cli import main

if __name__ == "__main__":
    sys.exit(main())
