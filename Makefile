# Needs python3 (3.11 or newer) and make, nothing else. Everything is installed into .venv.
PYTHON ?= python3
PORT ?= 8000
# Processes that share the tests: a number, or logical for one a core. With WORKERS=0 there are none, for a debugger.
WORKERS ?= logical
BIN := .venv/bin
# Each worker has a database of its own, and goes on with what the other has left when it has done its half.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
# These ask nothing of the run's database: pure rules, texts, other programs as clients, and projects with a database of
# their own.
ANY_DATABASE := $(filter-out tests/docs/test_deploy.py tests/docs/test_security.py,$(wildcard tests/docs/test_*.py)) \
  tests/test_properties.py tests/test_properties_tokens.py tests/fuzz tests/keystore/test_conformance.py tests/keystore/test_listing.py \
  tests/keystore/test_usage_conformance.py tests/sdk tests/test_bench.py tests/test_brand.py tests/test_demo.py \
  tests/test_docs.py tests/test_error_docs.py tests/test_hosts.py tests/test_openapi.py tests/test_openapi_live.py \
  tests/test_origins.py tests/test_package.py tests/test_permissions.py tests/test_production.py tests/test_testing.py
# These reach what the code has for PostgreSQL alone. Of all else the run on SQLite has the coverage, and measuring it
# takes nearly as long as the tests.
FOR_POSTGRES := tests/api tests/contrib tests/models
BROWSER := tests/admin/test_portal_browser.py tests/browser tests/looks
# How many times as long "make fuzz" is as what "make test" has of it.
FUZZ_TIMES ?= 20
# The bench has an environment of its own, for the packages that it compares with.
BENCH := .bench/venv/bin/python -m bench
BENCH_PLAN ?= full

.PHONY: help demo test test-sqlite test-postgres test-browser test-browser-all tour screenshot races faults openapi fuzz bench bench-quick test-all lint format install clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo  ## Run a working portal at http://127.0.0.1:8000 (PORT=… for another port)
	@DEBUG=1 $(BIN)/python manage.py demo --port $(PORT)

test: .venv/.installed  ## Run the tests on SQLite and on PostgreSQL, with the coverage of both together
	@rm -f .coverage .coverage.*
	COVERAGE_FILE=.coverage.sqlite TEST_DB=sqlite $(PYTEST) --cov --cov-report= --cov-fail-under=0
	COVERAGE_FILE=.coverage.postgres TEST_DB=postgres $(PYTEST) $(FOR_POSTGRES) --cov --cov-report= --cov-fail-under=0
	TEST_DB=postgres $(PYTEST) $(patsubst %,--ignore=%,$(ANY_DATABASE) $(FOR_POSTGRES))
	$(BIN)/coverage combine -q .coverage.sqlite .coverage.postgres
	$(BIN)/coverage report

test-sqlite: .venv/.installed  ## Run the tests on SQLite only
	TEST_DB=sqlite $(PYTEST)

test-postgres: .venv/.installed  ## Run the tests on PostgreSQL only
	TEST_DB=postgres $(PYTEST)

test-browser: .venv/.installed  ## Run the browser tests; needs chromium (apt-get install chromium, or CHROMIUM=/path)
	TEST_DB=sqlite $(PYTEST) -m "browser and not matrix" $(BROWSER)

test-browser-all: .venv/.installed  ## The same with axe over every state, brand, width and scheme
	TEST_DB=sqlite $(PYTEST) -m browser $(BROWSER)

tour: .venv/.installed  ## Take a picture of every state in six brands, two widths and two schemes into tour/
	TEST_DB=sqlite $(BIN)/python -m pytest -q -m tour -k every_state tests/looks

screenshot: .venv/.installed  ## Take the README's pictures into docs/images/
	TEST_DB=sqlite $(BIN)/python -m pytest -q -m tour -k readme tests/looks

races: .venv/.installed  ## Run the long races, 100 rounds each, on both databases
	TEST_DB=sqlite $(BIN)/python -m pytest -m long
	TEST_DB=postgres $(BIN)/python -m pytest -m long

faults: .venv/.installed  ## Run every fault against real processes, on both databases; needs redis-server
	TEST_DB=sqlite $(BIN)/python -m pytest -m faults -rP tests/faults
	TEST_DB=postgres $(BIN)/python -m pytest -m faults -rP tests/faults

openapi: .venv/.installed  ## Write docs/openapi.yaml
	DEBUG=1 PORTAL_BASE_URL= $(BIN)/python manage.py portal_openapi > docs/openapi.yaml.new
	@mv docs/openapi.yaml.new docs/openapi.yaml

fuzz: .venv/.installed  ## Run schemathesis against the app for longer, on both databases (FUZZ_TIMES=20 times as long)
	FUZZ_TIMES=$(FUZZ_TIMES) TEST_DB=sqlite $(PYTEST) tests/fuzz
	FUZZ_TIMES=$(FUZZ_TIMES) TEST_DB=postgres $(PYTEST) tests/fuzz

bench: .bench/.installed  ## Measure everything, beside other packages, into docs/performance.md (BENCH_PLAN=large: ten million rows too)
	$(BENCH) $(BENCH_PLAN) --write

bench-quick: .bench/.installed  ## The short form, which prints its table and writes nothing
	$(BENCH) quick

test-all: .venv/.installed  ## Run on four pairs of Python and Django what can differ between them (noxfile.py)
	$(BIN)/nox

lint: .venv/.installed  ## Check style, types, templates, import directions and missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files '*.html' | xargs $(BIN)/djade --check --target-version 5.2
	$(BIN)/mypy
	cd tests/typed_host && PYTHONPATH=../.. ../../$(BIN)/mypy --config-file mypy.ini host.py
	$(BIN)/lint-imports
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/.installed  ## Format code and templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.html' | xargs $(BIN)/djade --target-version 5.2

install: .venv/.installed  ## Install everything that the other targets need

clean:  ## Remove what the other targets made
	rm -rf .venv .bench .nox .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist tour staticfiles
	rm -f .coverage .coverage.* demo.sqlite3*

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@$(BIN)/pip install -q --upgrade pip

# The stamps make a broken install be repeated and a change of dependencies be installed.
.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install -q -c constraints.txt -e . --group demo
	@touch $@

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install -q -c constraints.txt -e . --group dev
	$(BIN)/pip install -q --no-deps --upgrade --target .venv/sdk --group sdk
	@touch $@ .venv/.demo

.bench/.installed: pyproject.toml constraints.txt bench/requirements.txt
	@mkdir -p .bench
	@$(PYTHON) -m venv .bench/venv
	.bench/venv/bin/pip install -q --upgrade pip
	.bench/venv/bin/pip install -q -c constraints.txt -e . -r bench/requirements.txt
	@touch $@
