# Two commands do everything on a fresh machine with Python >= 3.12:
#   make demo   creates .venv, installs bayescale, runs the main job on the embedded runs (figures in demo/)
#   make test   the same set-up, then every check and the fast tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow check matrix audit baselines notebooks bench clean

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit('bayescale needs Python >= 3.12, this is ' + sys.version.split()[0] + '; try make PYTHON=python3.13') if sys.version_info < (3, 12) else 0"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

demo: $(VENV)/installed
	$(BIN)/bayescale demo --output demo

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# Asks a public database, over the network, for known vulnerabilities of every package that is installed.
audit: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group audit
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/audited.txt
	$(BIN)/python -m pip_audit --strict --disable-pip --no-deps --progress-spinner off -r $(VENV)/audited.txt || { \
	  echo "make audit: a package has a known vulnerability, or could not be looked up (see above)."; exit 1; }

test: check
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -m slow

# The tests with the lowest versions allowed on the oldest Python, and with the newest on the newest.
matrix: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --group matrix
	$(BIN)/python tests/matrix.py $(ARGS)

# Draws the pictures of tests/baseline anew, after a change of a figure that was meant. Look at every one.
baselines: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/test_figures.py -k picture_kept --remake-baselines

notebooks: $(VENV)/installed-test
	$(BIN)/python notebooks/make_posteriors.py
	$(BIN)/python notebooks/execute.py

bench: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only -m ""

clean:
	rm -rf $(VENV) demo
