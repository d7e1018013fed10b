# Two commands do everything on a fresh Debian or Ubuntu machine: `make demo` and `make test`. `make help` lists the rest.
# Installing Debian packages and running containers needs root.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh

UV_VERSION := 0.13.8
HELM_VERSION := 4.3.1
N ?= 5000
TIMES ?= 10
# N where the command line names it, else what is usual there.
named = $(if $(filter command,$(firstword $(origin N))),$(N),$(1))

# Two environments from one lock file: .venv to work on the code; build/env without the developers' packages, to use
# and to measure (msgspec imports typing_extensions where mypy has brought it: 7 ms of every start).
DEV := .venv
ENV := build/env
UV := build/tools/uv-$(UV_VERSION)/bin/uv
HELM := build/helm-$(HELM_VERSION)/helm
PODWARD := $(ENV)/bin/podward
PY := $(DEV)/bin/python

# A tree that was copied or moved must not use the environments of the place it came from: the stamps carry the place.
PLACE := $(subst /,-,$(CURDIR))
DEV_STAMP := $(DEV)/.synced$(PLACE)
ENV_STAMP := $(ENV)/.synced$(PLACE)

# uv uses the machine's Python and certificates, and nobody's environment.
uv = env -u VIRTUAL_ENV -u PYTHONPATH UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true UV_NO_PROGRESS=1 \
	UV_PROJECT_ENVIRONMENT=$(1) $(UV) sync --quiet --frozen --compile-bytecode --python "$$(tools/install python)" $(2)

# What the tools need to find this tree's code and nobody else's.
export PYTHONPATH :=
# Without bytecode, every worker of the tests would compile and rewrite all of them.
export PYTHONDONTWRITEBYTECODE :=
export PODWARD_COMMAND := $(CURDIR)/$(PODWARD)

# Workers for all cores (tests/conftest.py says how many), and each file of tests on one of them. A few tests are done
# sooner than workers have started.
ALL_CORES := --numprocesses=auto --dist=loadfile --no-loadscope-reorder

step = @printf '\n== %s\n' "$(1)"

.PHONY: help setup packages bytecode demo test lint types contracts unit proofs bench bench-apiserver bench-cri \
	bench-serve prove kills soak-store soak-cri soak-node format tables served-types pages lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

setup: packages $(DEV_STAMP) $(ENV_STAMP) bytecode $(HELM) ## install what is missing: packages, uv, the locked environments, Helm

packages:
	@tools/install

# Python would compile for itself, were it not that PYTHONDONTWRITEBYTECODE may be set; start-up time counts.
bytecode: $(DEV_STAMP) $(ENV_STAMP)
	@$(ENV)/bin/python -m compileall -q src

$(UV): | packages
	@echo "installing uv $(UV_VERSION)"
	@rm -rf build/tools
	@"$$(tools/install python)" -m venv build/tools/uv-$(UV_VERSION)
	@build/tools/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(HELM): tools/helm | $(UV)
	@echo "installing Helm $(HELM_VERSION)"
	@tools/helm build/tools/uv-$(UV_VERSION)/bin/pip $@

$(DEV_STAMP): pyproject.toml uv.lock $(UV) | packages
	@echo "making $(DEV), the environment to work in"
	@rm -rf $(DEV)
	@$(call uv,$(DEV),)
	@touch $@

$(ENV_STAMP): pyproject.toml uv.lock $(UV) | packages
	@echo "making $(ENV), the environment to use"
	@rm -rf $(ENV)
	@$(call uv,$(ENV),--no-dev)
	@touch $@

demo: setup ## run two Pods, show predicted and observed identities; then a cluster, and a policy that changes
	@tools/demo

test: setup ## lint, types, import contracts, all tests
	@$(MAKE) --jobs=4 lint types contracts unit  # the tests wait most of their time, and mypy uses one core only

lint: setup ## ruff: rules and format
	$(call step,ruff check)
	@$(DEV)/bin/ruff check --quiet
	$(call step,ruff format)
	@$(DEV)/bin/ruff format --check --quiet

types: setup ## mypy, strict
	$(call step,mypy)
	@$(DEV)/bin/mypy

contracts: setup ## import-linter: imports go downward only, rooms that decide do no I/O
	$(call step,import contracts)
	@$(DEV)/bin/lint-imports --no-logo --cache-dir build/importlinter

unit: setup ## every test; TESTS="paths or options" runs some
	$(call step,pytest)
	@timeout --foreground --signal=INT --kill-after=60 40m $(PY) -m pytest $(or $(TESTS),$(ALL_CORES))

proofs: setup ## the random proofs with TIMES as many cases as in unit (make proofs TIMES=10)
	$(call step,pytest -m proof)
	@PODWARD_PROOFS=$(TIMES) $(PY) -m pytest -m proof --timeout=3600 $(or $(TESTS),$(ALL_CORES))

bench: setup ## run against podman and bare runtimes; admissions per CPU-second; check against checkov and a bare parse
	@tools/install bench
	@bench/run
	@$(ENV)/bin/python bench/admission
	@$(ENV)/bin/python bench/check

bench-apiserver: setup ## the API server's memory, creates, lists and watches, beside the real one's recorded figures
	@$(ENV)/bin/python bench/apiserver

bench-serve: setup ## podward serve: until it is ready, from apply to Running, 200 Pods eight at a time, memory
	@$(DEV)/bin/python bench/serve

bench-cri: setup ## CRI's verbs through gRPC: medians of 30, beside the bare OCI runtimes; 100 Pods, eight at a time
	@$(ENV)/bin/python bench/cri

prove: setup ## N random Pods run for real: predicted against observed (make prove N=5000)
	@$(PY) tests/e2e/prove.py --pods $(N)

kills: setup ## podward killed N times at random moments, beside busy loops: what its next call leaves (make kills N=200)
	@$(PY) tests/e2e/kills.py --kills $(call named,20)

soak-store: setup ## N writes by 8 clients, kill -9 at random moments, SQLite and etcd: what is lost (make soak-store N=10000)
	$(call step,the store alone)
	@$(PY) tests/store/soak.py --writes $(call named,10000)
	$(call step,the API server over HTTPS)
	@$(PY) tests/server/soak.py --writes $(call named,10000)

soak-cri: setup ## podward cri killed N times at random moments under load: what is lost or left (make soak-cri N=200)
	@$(PY) tests/cri/soak.py --kills $(call named,200)

soak-node: setup ## N Pods of a cluster while its parts are killed, its disk full, its network cut (make soak-node PODS=300)
	@$(PY) tests/node/soak.py --pods $(or $(PODS),300) --seconds 600

format: setup ## let ruff format, and fix what it can
	@$(DEV)/bin/ruff format
	@$(DEV)/bin/ruff check --fix

tables: setup ## generate the tables of Kubernetes' types anew: docs/maintaining.md
	@$(PY) tools/generate_schema_table.py src/podward/schema/table.py
	@$(PY) tools/generate_merge_table.py src/podward/schema/merge_table.py
	@$(PY) tools/generate_openapi_definitions.py src/podward/schema/openapi/definitions.py

served-types: setup ## generate the types that a server reads, from Kubernetes' source: make served-types SOURCE=CHECKOUT
	@$(PY) tools/generate_served_types.py $(SOURCE) src/podward/schema
	@$(PY) tools/generate_go_dump_types.py $(SOURCE)

pages: setup ## write docs/rules and docs/hints from the registry of rules
	@$(PY) tools/write_rule_pages.py docs

lock: $(UV) ## renew uv.lock from PyPI alone
	env -u VIRTUAL_ENV UV_NO_CONFIG=1 UV_SYSTEM_CERTS=true UV_PYTHON_DOWNLOADS=never \
		$(UV) lock --default-index https://pypi.org/simple --python "$$(tools/install python)" $(UPGRADE)

clean: ## remove all that make has made here; packages of the distribution stay
	rm -rf $(DEV) build dist .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
