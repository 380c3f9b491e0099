"""What there is to learn: each task turns a seed into datasets, and is one file here and one line in this list."""

TASKS = ("digits", "parens", "ioi", "repeated", "text", "stories")
