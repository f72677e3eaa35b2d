# Every target sets up what it needs first; when nothing changed that costs a tenth of a second.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ARGS ?=
TESTS ?= tests
WORKERS ?= 2
PY := .venv/bin/python
BENCHES := $(sort $(patsubst bench/%.py,bench-%,$(wildcard bench/[a-z]*.py)))

.PHONY: help setup setup-dev setup-test run test check lint format types contracts wheel golden screenshots lock clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1#\2/p' Makefile | awk -F'#' '{printf "%-20s %s\n", $$1, $$2}'
	@printf '  make %-13s %s\n' 'bench-NAME' 'Run one measurement: $(BENCHES:bench-%=%)'

setup: ## Make .venv with what Stanch needs to run
	@scripts/setup.sh run

setup-dev: ## Make .venv with the development tools too
	@scripts/setup.sh dev

setup-test: ## The same, and the servers and the browser the tests use
	@scripts/setup.sh test

run: setup ## Start Stanch and the drill at http://127.0.0.1:8484; ARGS="--no-drill", ARGS="--auto --exit"
	@exec .venv/bin/stanch run $(ARGS)

test: setup-test ## Check style, types and contracts, and pass every test
	@WORKERS=$(WORKERS) scripts/verify.sh all $(TESTS)

check: setup-dev ## The quick subset: no browser, no drill, no PostgreSQL
	@WORKERS=$(WORKERS) scripts/verify.sh quick $(TESTS)

lint: setup-dev ## Check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: setup-dev ## Mend what can be mended by itself
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

types: setup-dev ## Check the types
	@$(PY) -m mypy

contracts: setup-dev ## Check which package imports which
	@.venv/bin/lint-imports

wheel: setup-dev ## Build dist/stanch-*.whl
	@$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

golden: setup-dev ## Write the expected output of the golden tests again; read the diff before you commit it
	@$(PY) -m pytest $(TESTS) --refresh-golden -m golden -q

screenshots: setup-test ## Take the pictures in docs/ again
	@$(PY) scripts/screenshots.py $(ARGS)

bench-%: setup-dev
	@test -f bench/$(subst -,_,$*).py || { echo "no bench/$(subst -,_,$*).py; there are: $(BENCHES)" >&2; exit 2; }
	@$(PY) -m bench.$(subst -,_,$*) $(ARGS)

lock: ## Resolve the dependencies again and write the lock files
	@scripts/lock.sh $(ARGS)

clean: ## Remove what was built, .venv too
	rm -rf .venv dist build .test .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
