# Reallabor. `make run` and `make test` need nothing but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check format lock install bench pictures demo clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: install ## start everything with demonstration data and person picker
	@REALLABOR_DEMO=1 $(BIN)/reallabor up

test: install browser ## run all tests, browser tests included
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

check: install ## lint, types, import contracts, content
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/reallabor check-content

format: install ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: install ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra app --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --upgrade --output-file requirements.lock

install: $(STAMP) ## create .venv and install from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 oder neuer ist nötig; gefunden: " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

browser: install
	@$(BIN)/python tests/browser/find_chromium.py --install

bench: install ## measure recording, import and comparison as ratios in one run
	$(BIN)/python benchmarks/run.py

pictures: install browser ## take the pictures of the README anew
	REALLABOR_PICTURES=docs/pictures $(BIN)/python -m pytest tests/browser/test_pictures.py

demo: install ## fill the demonstration without starting the platform
	$(BIN)/reallabor demo

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build
