# Every target makes its environment on first use: `make demo` is all a fresh machine needs.
# PYTHON picks the interpreter (3.11 or newer), VENV the environment's folder.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

$(READY): pyproject.toml $(PLUGINS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "avelzoo needs Python 3.11 or newer; choose one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev,docs]" $(PLUGINS:%=--editable ./%)
	@touch $@

demo: $(READY)  ## the main job: train, evaluate and keep the paper's system on the embedded data
	$(BIN)/avelzoo run ead-b --encoder st-fusion

test: $(READY)  ## the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4

lint: $(READY)  ## style, formatting, types, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy $(wildcard plugins/*/src examples/*/src)
	MYPYPATH=scripts $(BIN)/mypy scripts/bench
	$(BIN)/python scripts/gen_docs.py --check

docs: $(READY)  ## the documentation, strictly, into site/
	$(BIN)/python scripts/gen_docs.py
	$(BIN)/zensical build --clean --strict

bench: $(READY)  ## speed and memory against a plain reference and the arithmetic: table, JSON, plot; BENCH for options
	PYTHONPATH=scripts $(BIN)/python -m bench $(BENCH)

clean:  ## what was built and cached, not the environment and not the runs
	rm -rf build dist site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
