# kubectl-tracebloc. `make help` lists the targets; CONTRIBUTING.md says how they fit together.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN := $(CURDIR)/bin
# As .goreleaser.yaml builds, so that the size is that of a release, and the build cache serves both.
GO_BUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
PLUGIN_FILES = kubectl-tracebloc kubectl_complete-tracebloc

# The race detector needs a C compiler. RACE= leaves it out, which is faster.
RACE ?= $(if $(shell command -v "$$(go env CC)"),-race)

# How many tests of a package run at once. Most of them wait, for a cluster or for a fault to be noticed, more than they compute.
PARALLEL ?= 6

# Packages and tests, as `go test` takes them: make e2e E2E_FLAGS='-run TestPush -v'
E2E_FLAGS ?=
BENCH_FLAGS ?=
FUZZTIME ?= 30s

##@ Every day

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the plugin and its completion shim into bin/
	@mkdir -p $(BIN)
	$(GO_BUILD) -o $(BIN)/kubectl-tracebloc ./cmd/kubectl-tracebloc
	@install -m 755 plugins/kubectl_complete-tracebloc $(BIN)/kubectl_complete-tracebloc

.PHONY: install
install: build ## Install both into $(go env GOPATH)/bin, or into PREFIX/bin
	@dir="$(if $(PREFIX),$(DESTDIR)$(PREFIX)/bin,$$(go env GOPATH)/bin)"; \
	mkdir -p "$$dir"; \
	for f in $(PLUGIN_FILES); do install -m 755 "$(BIN)/$$f" "$$dir/$$f"; done; \
	echo "installed into $$dir"

.PHONY: fmt
fmt: ## Format the Go code
	@lint=$$(hack/tool.sh golangci-lint); "$$lint" fmt ./...; cd e2e; "$$lint" fmt -c ../.golangci.yaml ./...

.PHONY: lint
lint: ## Check style, import arrows, modules and scripts
	@hack/lint.sh

.PHONY: vet-all
vet-all: ## Vet for Windows and macOS, and build for every platform that is released
	@hack/workflows/vet-all.sh

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what the plugin calls; asks the Go vulnerability database
	@"$$(hack/tool.sh govulncheck)" ./...

##@ Tests

.PHONY: test
test: unit krew-test e2e outage ## Run all tests: unit, streaming, installation and end-to-end on a real cluster

.PHONY: unit
unit: ## Run the tests that need no cluster
	@busybox=$$(hack/busybox.sh); set -x; TRACEBLOC_BUSYBOX=$$busybox go test $(RACE) -parallel $(PARALLEL) ./...

.PHONY: krew-test
krew-test: dist ## Install what dist/ has with the real krew, and see that a second build is the same; needs no cluster
	@go -C e2e test ./krew ./dist -count=1 -timeout 30m

.PHONY: e2e
e2e: build ## Run the end-to-end tests on the cluster, which is brought up if need be
	@packages=$$(go -C e2e list ./... | grep -vE '/e2e/(krew|dist)$$'); \
	hack/with-cluster.sh go -C e2e test $$packages -count=1 -timeout 30m -parallel $(PARALLEL) -skip '^TestOutage$$' $(E2E_FLAGS)

.PHONY: outage
outage: build ## Run the tests that end parts of the cluster, which nobody else may be using
	@hack/with-cluster.sh go -C e2e test ./push -count=1 -timeout 10m -run '^TestOutage$$'

.PHONY: fuzz
fuzz: ## Fuzz every parser of foreign input for FUZZTIME each
	@FUZZTIME=$(FUZZTIME) hack/workflows/fuzz.sh

.PHONY: cover
cover: ## Show the unit tests' coverage by function; bin/cover.html has the lines
	@mkdir -p $(BIN)
	@busybox=$$(hack/busybox.sh); set -x; TRACEBLOC_BUSYBOX=$$busybox go test -coverprofile=$(BIN)/cover.out ./...
	@go tool cover -html=$(BIN)/cover.out -o $(BIN)/cover.html
	@go tool cover -func=$(BIN)/cover.out

.PHONY: bench
bench: bench-check bench-start bench-stage ## Measure the check beside sha256sum, the start, and the transfer beside kubectl cp; writes docs/benchmarks.md

.PHONY: bench-check
bench-check: build ## Measure what needs no cluster: a check of a 1 GiB CSV and of 100,000 images, beside sha256sum
	@go -C e2e run ./bench check $(BENCH_FLAGS)

.PHONY: bench-start
bench-start: build ## Measure the binary's size and the CPU time of its start
	@kubectl=$$(hack/kubectl.sh); PATH=$${kubectl%/*}:$$PATH go -C e2e run ./bench start -doc ../docs/benchmarks.md $(BENCH_FLAGS)

.PHONY: bench-stage
bench-stage: build ## Measure the transfer beside kubectl cp: BENCH_FLAGS='-run big,slow', -quick
	@hack/with-cluster.sh go -C e2e run ./bench stage -doc ../docs/benchmarks.md $(BENCH_FLAGS)

##@ A cluster to try things in

.PHONY: demo
demo: build ## Push two generated datasets into a release on the cluster, and show their rows
	@hack/with-cluster.sh hack/demo.sh

.PHONY: cluster
cluster: ## Bring up the cluster: yours, kind, or Kubernetes from source
	@kubeconfig=$$(hack/cluster/up.sh); echo "export KUBECONFIG=$$kubeconfig"

.PHONY: cluster-down
cluster-down: ## Stop the cluster and remove what is in it
	@hack/cluster/down.sh

##@ Upkeep

.PHONY: dist
dist: ## Build every platform's archive into dist/, with sums, krew manifest and formula; SBOM=1 adds SBOMs
	@hack/dist.sh

.PHONY: docs
docs: ## Generate the command reference in docs/
	go run ./hack/docs docs

.PHONY: man
man: ## Write the man pages into bin/man/man1
	go run ./hack/docs -man -version "$(VERSION)" -date "$$(git log -1 --format=%cs)" $(BIN)/man/man1

.PHONY: clean
clean: ## Remove what was built; the caches and the cluster stay
	rm -rf $(BIN) dist
