PYTHON ?= python3
BIN := .venv/bin
DAGSTER_HOME ?= $(CURDIR)/.dagster
export DAGSTER_HOME
export DAGSTER_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Python compiles a file when it is first imported, most never are, and keeps it: each process would compile again.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile

MANIFEST := dbt_project/target/manifest.json
DBT_SOURCES := $(shell find dbt_project -type f \( -name '*.sql' -o -name '*.yml' -o -name '*.csv' \) -not -path '*/target/*')

.PHONY: setup run report dev run-fake test lint lint-types lint-sql lint-code format bench bench-scale test-scale fake-fidelity export setup-cluster setup-mlflow java lock clean

run: setup  ## the whole pipeline on the configured source (the embedded sample unless .env says otherwise)
	@python -m orchestration run $(RUN)

run-fake: setup  ## the pipeline live from the fake GitHub to the predictions, in WAREHOUSE_DIR or a temporary folder
	@export WAREHOUSE_DIR=$${WAREHOUSE_DIR:-$$(mktemp -d)} && \
	python -m tests.fake_github --issues $(or $(ISSUES),2000) -- \
	  python -m orchestration run --select '*ticket_predictions' && \
	echo "written below $$WAREHOUSE_DIR"

report: setup  ## the daily page, from what is published: its path is printed
	@python -m orchestration report

dev: setup  ## the Dagster UI on http://127.0.0.1:3000
	env -u DAGSTER_MODULE_NAME dagster dev --host 127.0.0.1 --port 3000

test: setup
	pytest

lint: setup
	@$(MAKE) --no-print-directory --keep-going --jobs=2 lint-types lint-sql lint-code

lint-types:
	mypy

# Its trees are all alive until the end: to look for garbage among them takes a third of the time.
lint-sql:
	@python -c "import gc; gc.set_threshold(200_000); from sqlfluff.cli.commands import cli; cli()" lint dbt_project/models

lint-code:
	ruff check .
	ruff format --check .
	lint-imports
	python .ci/audit.py

format: setup
	ruff format .
	ruff check --fix .

bench: setup  ## seconds per stage, written to bench.json
	python -m tests.bench

bench-scale: setup  ## seconds, memory and growth per stage on multiples of an archive, written to bench_scale.json
	python -m tests.bench_scale

test-scale: setup-cluster  ## every model and test on Spark and on DuckDB, on 5,000 issues of the corpus: minutes
	pytest -m scale -n 0 tests/integration/test_spark.py

fake-fidelity: setup  ## fake and client against GitHub's own schema, description and recorded answers (needs npm)
	pytest -m fidelity -n 0 tests/fidelity

export: setup  ## what was landed, as an archive that others can load: make export OUTPUT=folder
	python -m orchestration export --output $(or $(OUTPUT),export)

setup: .venv/.installed .venv/.activation $(MANIFEST) .env

.venv/.installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "fairtriage needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements.lock
	touch $@

# `dagster asset` parses its options before it reads any file: only the real environment tells it the module.
# It also brings an older .env up to date: of DAGSTER_HOME Dagster would let the file win.
.venv/.activation: Makefile | .venv/.installed .env
	for script in activate activate.fish activate.csh; do sed -i.before '/# fairtriage$$/d' $(BIN)/$$script; done
	sed -i.before '\|^DAGSTER_HOME=$(CURDIR)/.dagster$$|d' .env
	grep -q '^DAGSTER_MODULE_NAME=' .env || tail -3 .env.example >> .env
	rm -f $(BIN)/activate*.before .env.before
	echo 'export DAGSTER_MODULE_NAME=orchestration.definitions DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)/.dagster}" # fairtriage' >> $(BIN)/activate
	echo 'set -gx DAGSTER_MODULE_NAME orchestration.definitions; set -q DAGSTER_HOME; or set -gx DAGSTER_HOME "$(CURDIR)/.dagster"; true # fairtriage' >> $(BIN)/activate.fish
	echo 'setenv DAGSTER_MODULE_NAME orchestration.definitions # fairtriage' >> $(BIN)/activate.csh
	echo 'if (! $$?DAGSTER_HOME) setenv DAGSTER_HOME "$(CURDIR)/.dagster" # fairtriage' >> $(BIN)/activate.csh
	touch $@

$(MANIFEST): $(DBT_SOURCES) .venv/.installed
	python -c 'import orchestration.defs.dbt.project'
	touch $@

setup-cluster: setup .venv/.cluster java  ## what runs beyond one machine need, and the tests of them

.venv/.cluster: requirements-cluster.lock .venv/.installed
	$(PIP) -r requirements-cluster.lock
	touch $@

java:
	@java -version 2>/dev/null || { apt-get update -qq && apt-get install -qq --no-install-recommends openjdk-17-jre-headless >/dev/null; } 2>/dev/null || echo "DBT_TARGET=spark needs Java, which is not here: install openjdk-17-jre-headless."

setup-mlflow: setup .venv/.mlflow  ## what the mirror of promoted models in MLflow needs, and the test of it

.venv/.mlflow: requirements-mlflow.lock .venv/.installed
	$(PIP) -r requirements-mlflow.lock
	touch $@

.env: | .env.example
	cp .env.example $@
	chmod 600 $@

lock:  ## pin every dependency again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group cluster --group spark --constraints requirements.lock -o requirements-cluster.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group mlflow --constraints requirements.lock -o requirements-mlflow.lock

clean:  ## forget every result; sources and the environment stay
	rm -rf $(filter-out $(wildcard warehouse/raw*.sql) warehouse/README.md,$(wildcard warehouse/*)) dbt_project/target $(filter-out .dagster/dagster.yaml,$(wildcard .dagster/*))
