"""Where a notebook began: its kernel starts beside it, and may change its folder later."""

from pathlib import Path

START = Path.cwd()  # read it as `place.START`: `remix solution` moves it to the folder of a day
