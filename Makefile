# Thin on purpose: each target is a command of deploy/local, which explains itself.
# python3 needs nothing but its standard library: the first command makes .venv.
PYTHON ?= python3
LOCAL := @$(PYTHON) -m deploy.local

.DEFAULT_GOAL := help
.PHONY: help run send stop status doctor logs clean lint test test-providers test-unit chaos bench bench-quick servers

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start the whole platform here, send a demo, follow the logs (Ctrl-C stops it all)
	$(LOCAL) run

send: ## Send the demo again to the running platform
	$(LOCAL) send

stop: ## Stop the running platform
	$(LOCAL) stop

status: ## Say what runs, where, and whether it is well
	$(LOCAL) status

doctor: ## Look over settings, servers, migrations and providers, and say how to mend what is wrong
	$(LOCAL) doctor

logs: ## Follow the logs; one process: make logs NAME=gateway
	$(LOCAL) logs $(NAME)

clean: ## Stop the platform and delete its data (.local/)
	$(LOCAL) clean

lint: ## Run every static check; some: make lint STEP="ruff mypy-gateway"
	$(LOCAL) lint $(STEP)

test: ## Run every test suite on private servers; some: make test SUITE="gateway end_to_end"
	$(LOCAL) test $(SUITE)

test-unit: ## Run the tests that need no server
	$(LOCAL) test --unit $(SUITE)

test-providers: ## Run our providers against doubles that others wrote: moto, Prism, web-push-testing
	$(LOCAL) test-providers

chaos: ## Break a private platform in every promised way and count: make chaos [SCENARIO=--short]
	$(LOCAL) chaos $(SCENARIO)

bench: ## Measure a private platform beside its peers, and keep the results; one: make bench-accept
	$(LOCAL) bench

bench-quick: ## Run every benchmark for a moment, only to see that it runs
	$(LOCAL) bench --quick

bench-%:
	$(LOCAL) bench $(subst -,_,$*)

servers: ## Start private PostgreSQL, Redis and RabbitMQ alone and print their addresses
	$(LOCAL) servers
