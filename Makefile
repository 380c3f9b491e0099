# Everything here is safe to interrupt with Ctrl-C and to type again.
.DEFAULT_GOAL := help
.PHONY: help environment lab test check notebooks rejoin rehearsal walkthrough numbers bench models

IN := .venv/bin
# One thread each: test runners work side by side, and two torch threads on a busy core are slower than one.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

help:
	@echo "make lab          set up what is missing, check it, and open JupyterLab on day 1, in work/"
	@echo "make test         set up what is missing, and run everything that must hold"
	@echo "make check        formatting, lint, types, and the rules of the house"
	@echo "make notebooks    build every notebook from its master in solutions/"
	@echo "make rejoin       start_at for every exercise of every part, and the rest of the part after it"
	@echo "make rehearsal    a pair goes through the week, with right, wrong and missing answers, to grades and feedback"
	@echo "make walkthrough  the solved lessons, run here, as web pages for the projector"
	@echo "make numbers      measure again every figure that the lessons state"
	@echo "make bench        speed, beside plain PyTorch"
	@echo "make models       train the shipped weights again"

# The newest Python is not always one that the lock supports, so several names are tried; one that is named is meant.
environment:
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then \
	    exec $$python -m tools.environment --quiet; fi; \
	  if command -v $$python >/dev/null; then found="$$found $$python ($$($$python --version 2>&1 | { read -r line; echo "$$line"; }))"; fi; done; \
	echo "No Python 3.11 to 3.14 was found here$${found:+, only}$$found."; \
	echo "  fix: install Python 3.11 (apt install python3.11, brew install python@3.11, or python.org),"; \
	echo "       or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; \
	exit 1

lab: environment
	@$(IN)/remix lab

# Tests are handed out two at a time, the longest first: with a long queue of its own one worker would end alone.
test: environment
	@$(ONE_THREAD) $(IN)/python -m pytest -n 2 --maxschedchunk 2
	@echo 'Everything holds. Next: "make lab" opens day 1; "make check" before a commit.'

check: environment
	@$(IN)/ruff format --check .
	@$(IN)/ruff check .
	@$(IN)/pyright
	@$(ONE_THREAD) $(IN)/python -m pytest -q tests/test_house.py

notebooks: environment
	@$(ONE_THREAD) $(IN)/python -m tools.notebooks

rejoin: environment
	@$(ONE_THREAD) $(IN)/python -m tools.rejoin

rehearsal: environment
	@$(ONE_THREAD) $(IN)/python -m tools.rehearsal

walkthrough: environment
	@$(ONE_THREAD) $(IN)/python -m tools.walkthrough

numbers: environment
	@$(ONE_THREAD) $(IN)/python tools/figures.py
	@$(ONE_THREAD) $(IN)/python -m tools.full_run --check

bench: environment
	@$(ONE_THREAD) $(IN)/python -m benchmarks.graph

models: environment
	@for script in digits parens compile_parens induction ioi; do $(IN)/python -m training.$$script || exit 1; done
