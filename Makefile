# Everything needs only Python 3.11+ and make. Set-up is redone when a lock or pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: setup setup-teams demo test lint types slow bench lock pictures clean
.DELETE_ON_ERROR:

setup: $(VENV)/.runtime

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The Director needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

# uv from the PATH when there is one, else into the project's own environment.
$(VENV)/.uv: $(BIN)/python
	@command -v uv >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

UV = VIRTUAL_ENV=$(abspath $(VENV)) $$(command -v uv || echo $(BIN)/uv)

$(VENV)/.runtime: $(VENV)/.uv requirements.lock pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q bot handlers storage
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

# The same with what Microsoft Teams needs.
setup-teams: setup requirements-teams.lock
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-teams.lock

demo: setup
	@$(BIN)/director demo

# Most tests wait for processes and clocks, so several files go side by side.
AT_ONCE ?= 4

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow --timeout=300 -n $(AT_ONCE) --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.dev
	@for script in tests/bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

pictures: $(VENV)/.dev
	$(BIN)/python -m tests.pictures
	$(BIN)/python -m tests.pictures_teams

lock: $(VENV)/.uv
	$(UV) $(COMPILE) pyproject.toml --group build -o requirements.lock
	$(UV) $(COMPILE) pyproject.toml --group build --extra teams -o requirements-teams.lock
	$(UV) $(COMPILE) pyproject.toml --group dev --extra teams -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
