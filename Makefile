# The one door. `make help` lists what can be done.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
EVERYTHING := --constraint constraints.txt --editable '.[dev]' --editable packages/airflow
JOBS ?= 2
UI_STAMP := src/tradewind/server/ui/static/.built
UI_SOURCES := ui/package-lock.json ui/vite.config.ts ui/index.html $(shell find ui/src ui/public ui/scripts -type f 2>/dev/null)
SEEDS ?= 0:200
# The certificates this machine trusts, so that a network with a certificate authority of its own works as for pip.
export UV_SYSTEM_CERTS ?= true

.DEFAULT_GOAL := help
.PHONY: ui ui-contract check-ui test-ui bench-ui help setup run test check format simulate bench docs generated constraints clean

help: ## List what can be done
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) $(UI_STAMP) ## Set up .venv with everything pinned in constraints.txt

$(STAMP): pyproject.toml constraints.txt packages/airflow/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tradewind needs Python 3.11, 3.12 or 3.13 (python3 on PATH)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: install the venv module of your Python (Debian: apt-get install python3-venv)"; exit 1; }
	@test -x $(BIN)/uv || $(PIP) install uv || true
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(EVERYTHING) || \
		{ echo "uv could not install; once more with pip, which reads pip.conf (takes longer)"; $(PIP) install $(EVERYTHING); }
	@touch $@

run: $(STAMP) $(UI_STAMP) ## Set everything up and start Tradewind on this machine (Ctrl-C stops it)
	@exec $(BIN)/tradewind standalone

test: $(STAMP) $(UI_STAMP) ## Set everything up and pass the whole test suite, PostgreSQL included
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not scenario"
	$(BIN)/python -m pytest -m scenario

check: $(STAMP) ## Format, lint, types, floors, generated files: green or red
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory generated CHECK=--check
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory check-ui; else echo "Node was not found: the screens are not checked"; fi

generated: $(STAMP) ## Make the generated files anew (CHECK=--check: only prove that they are current)
	$(BIN)/python -m tradewind.kernel.settings_reference $(CHECK)
	$(BIN)/python -m tradewind.domain.drawing $(CHECK)
	$(BIN)/python -m tradewind.cli.reference $(CHECK)
	$(BIN)/python -m tradewind.server.contract $(CHECK)

format: $(STAMP) ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ui: $(UI_STAMP) ## Build the screens into the server (needs Node 20.19 or newer)

$(UI_STAMP): $(UI_SOURCES)
	@if command -v npm >/dev/null 2>&1; then \
		cd ui && npm install --no-save --no-audit --no-fund --loglevel=error && npm run --silent build >/dev/null && cd .. && touch $@; \
	else echo "Node was not found: the screens are not built, the server says so (Node 20.19 or newer builds them)"; fi

ui-contract: ## Make the types of the screens' client from contracts/ anew
	cd ui/tools && npm ci --no-audit --no-fund --loglevel=error && node contract.mjs

check-ui: $(UI_STAMP) ## Types, lint, tests and budgets of the screens
	cd ui/tools && npm ci --no-audit --no-fund --loglevel=error && node contract.mjs --check
	cd ui && npm run --silent types && npm run --silent lint && npm run --silent test && npm run --silent size

test-ui: $(STAMP) $(UI_STAMP) ## Journeys in a real browser against the real product
	CHROMIUM=$$(scripts/chromium.sh) $(BIN)/python -m tests.e2e.run

bench-ui: $(STAMP) $(UI_STAMP) ## Measure the screens against their budgets, with big data
	CHROMIUM=$$(scripts/chromium.sh) $(BIN)/python -m tests.e2e.run --bench

simulate: $(STAMP) ## Simulate the whole engine over seeds: make simulate SEEDS=0:5000
	$(BIN)/python -m tests.simulation.run --seeds $(SEEDS) --jobs $(JOBS)

bench: $(STAMP) ## Measure everything beside its floors; writes bench/RESULTS.md
	$(BIN)/python -m bench.run

docs: generated ## Make the generated pages of docs/

constraints: ## Resolve the pinned versions anew
	$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --all-extras --python-version 3.11 pyproject.toml -o constraints.txt

clean: ## Remove what was built (not the data under TRADEWIND_HOME)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
