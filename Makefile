# The two that matter: `make run` serves the gateway with a demo coalition, `make test` proves it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check format bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

run: $(READY) ## serve the gateway with the demo coalition on 127.0.0.1:8000
	@$(BIN)/python -m gateway serve --demo

test: $(READY) ## run every test, on SQLite and on a PostgreSQL the tests start
	@$(BIN)/pytest -q -n auto --dist loadfile

check: $(READY) ## format, lint, types, imports; changes nothing
	@$(BIN)/ruff format --check --quiet . || { echo "Unformatted: run make format"; exit 1; }
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }
	@echo "All checks passed."

format: $(READY) ## format, sort imports, apply safe fixes
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: $(READY) ## measure the write path beside its baselines
	@$(BIN)/python -m tests.benchmarks.posting

# The lock is the same whoever makes it: a local pip configuration (mirrors, local files) is left
# aside, and no address is written down.
lock: export PIP_CONFIG_FILE := /dev/null
lock: export PIP_FIND_LINKS :=
lock: export PIP_EXTRA_INDEX_URL :=
lock: export CUSTOM_COMPILE_COMMAND := make lock
lock: $(READY) ## pin the newest versions that pyproject.toml allows
	@$(BIN)/pip-compile --quiet --upgrade --extra dev --all-build-deps --allow-unsafe \
		--generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --no-emit-options --output-file requirements.lock pyproject.toml

clean: ## remove the environment and every cache (the demo's data stays)
	@rm -rf $(VENV) build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once; again only when the lock or the project's metadata is newer than the stamp.
$(READY): requirements.lock pyproject.toml
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
