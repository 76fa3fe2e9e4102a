# The front door. `make` alone says what there is.
#
# Builds are kept outside the checkout (OSTLER_CACHE, default ~/.cache/ostler); tests/target-dir.sh says where.

OSTLER_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ostler
export OSTLER_CACHE
CARGO_TARGET_DIR := $(shell tests/target-dir.sh)
export CARGO_TARGET_DIR

.DEFAULT_GOAL := help
.PHONY: help demo demo-down build test conformance conformance-down crash bench lint check

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## a Kubernetes of its own with Ostler in it, and a guest that answers; again: under a minute
	@tests/demo/demo.sh up

demo-down: ## removes all that the demo made
	@tests/demo/demo.sh down

build: ## both binaries
	cargo build --locked -p ostler-controller -p ostler-api-shim

test: ## all there is: packages, builds, lints, tests; ends with `N passed, N failed`
	@tests/run.sh all

conformance: ## OpenStack's own tests; LIST=file FLOOR=2.72 KEEP=1, see docs/conformance.md
	@tests/conformance/run.sh

conformance-down: ## ends the stack that `make conformance KEEP=1` keeps
	@tests/conformance/run.sh down

crash: ## ends the node role and the manager after every step and write; OPERATIONS="create resize", default all
	@tests/crash/run.sh $(OPERATIONS)

bench: ## what Servers cost in writes and memory, against the design's budgets
	@tests/crash/build.sh
	@"$(CARGO_TARGET_DIR)/debug/budgets"

lint: ## format, clippy, house rules, licences, chart
	@tests/run.sh lint

check: ## the house rules alone: CRD drift, arrows, file sizes
	@cargo xtask check
