# ticketrail: build it, run it, check it. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# The read model is SQLite, which is C.
export CGO_ENABLED := 1

# A tag, or how far behind one; v0.0.0-g and the commit where there is none.
VERSION := $(shell git describe --tags --match 'v[0-9]*' --abbrev=12 --always --dirty 2>/dev/null | sed '/^v[0-9]/!s/^/v0.0.0-g/')
VERSION := $(or $(VERSION),unknown)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
TAGS    := sqlite_omit_load_extension
GO_TEST := go test -race -timeout 20m -tags '$(TAGS)'

# Tools are pinned here and built once; they are no dependencies of the program.
GOLANGCI_LINT := bin/golangci-lint-v2.15.0
GOVULNCHECK   := bin/govulncheck-v1.1.4

# What checks the types of the dashboard's scripts; openapi-typescript needs a TypeScript of its own.
TYPES := typescript@7.0.2 preact@11.2.0 @preact/signals@2.11.4 @preact/signals-core@1.14.5 htm@3.1.1 uplot@1.6.32
API_TYPES := openapi-typescript@7.13.0 typescript@5.9.3

# Tests of these names rewrite their files when they are given -update.
GENERATING := Golden|Diagram|OpenAPI

FUZZTIME ?= 10s
FLIPS    ?= 100
BENCH    ?= .
SIZES    ?= 10000,100000,1000000,5000000
ARGS     ?=
FAULTS   ?= -power-cuts 1000 -controls 100 -kills 500 -broker-faults 200 -parts 100 -bugs 99 -overload 50000 -fuse required \
	-disk-fills 100 -bad-syncs 100 -slow-disks 20 -refuse-within 1s -mend-within 30s
ENGINE   ?= docker

##@ Use

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: compiler ## build bin/ticketrail
	@go build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/ticketrail ./cmd/ticketrail

.PHONY: run
run: build ## build and start everything in one process (ARGS='--data DIR')
	@exec bin/ticketrail serve $(ARGS)

.PHONY: demo
demo: build ## build and watch simulated shops send webhooks (ARGS='--for 1m')
	@exec bin/ticketrail demo $(ARGS)

##@ Check

.PHONY: test
test: compiler browser terminal modules ## run the whole suite under the race detector
	@mkdir -p bin
	@FAULTS_TABLE=$(CURDIR)/bin/faults.txt $(GO_TEST) -shuffle=on ./...
	@[[ ! -f bin/faults.txt ]] || cat bin/faults.txt

.PHONY: faults
faults: compiler modules ## break the program in every way there is, for hours (FAULTS='-power-cuts 20 -kills 50')
	@go test -tags '$(TAGS)' -count=1 -timeout 0 -v ./cmd/ticketrail/faults -args $(FAULTS)

.PHONY: check
check: fmt-check vet lint verify vulncheck types-where-npm-is test ## everything that CI runs, in its order

.PHONY: vet
vet: compiler ## run go vet
	@go vet -tags '$(TAGS)' ./...

.PHONY: lint
lint: compiler $(GOLANGCI_LINT) ## run golangci-lint as .golangci.yml says
	@$(GOLANGCI_LINT) run

.PHONY: verify
verify: ## regenerate, and fail where that changes a file
	@before=$$(git diff | git hash-object --stdin); \
	$(MAKE) golden; \
	after=$$(git diff | git hash-object --stdin); \
	[[ $$before == "$$after" ]] || { \
		git diff --stat; \
		echo "make verify: generated files were out of date; look at them and commit them" >&2; \
		exit 1; \
	}

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## look for known vulnerabilities, where the database can be reached
	@status=0; $(GOVULNCHECK) -tags '$(TAGS)' ./... >bin/govulncheck.log 2>&1 || status=$$?; \
	case $$status in \
		0) echo "govulncheck: nothing known" ;; \
		3) cat bin/govulncheck.log; exit 1 ;; \
		*) echo "govulncheck: skipped, it could not run here (bin/govulncheck.log says why)" ;; \
	esac

.PHONY: types
types: bin/types/installed ## check the types of the dashboard's scripts, against api/openapi.json (needs npm)
	@cd bin/types/api && npx --no-install openapi-typescript $(CURDIR)/api/openapi.json -o ../api.d.ts >/dev/null
	@cd bin/types && npx --no-install tsc -p $(CURDIR)/api/dashboard

.PHONY: race
race: compiler modules browser ## run the whole suite three times, shuffled, to find what only shows now and then
	@$(GO_TEST) -shuffle=on -count=3 ./...

.PHONY: e2e
e2e: compiler modules ## run the tests that start the real program
	@$(GO_TEST) -count=1 -v ./cmd/...

.PHONY: s3
s3: bin/versitygw-v1.8.0 ## try the archive's store on a server that speaks S3, which it builds
	@$(GO_TEST) -count=1 ./eventlog/archive/s3

.PHONY: damage
damage: compiler modules ## flip FLIPS (100) bits in each kind of file, after stops and crashes
	@$(GO_TEST) -count=1 -timeout 30m -run TestNoFlippedBitIsSilent ./eventlog/recovery -flips $(FLIPS)

.PHONY: fuzz
fuzz: compiler modules ## run every fuzz target for FUZZTIME (10s)
	@go test -tags '$(TAGS)' -list '^Fuzz' ./... \
		| awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' \
		| while read -r package name; do \
			echo "$$name in $$package"; \
			go test -tags '$(TAGS)' -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done

.PHONY: bench
bench: build ## measure everything beside its yardsticks, in some ten minutes (ARGS='-only lag')
	@go build -tags '$(TAGS)' -o bin/bench ./cmd/bench
	@bin/bench $(ARGS)

.PHONY: bench-peers
bench-peers: build bin/bento bin/bento-csqlite bin/nats-server ## add Bento, which does the same work
	@go build -tags '$(TAGS)' -o bin/bench ./cmd/bench
	@bin/bench -only peers $(ARGS)

.PHONY: bench-growth
bench-growth: build ## look at the program at SIZES of orders, and draw docs/growth.svg
	@go build -tags '$(TAGS)' -o bin/bench ./cmd/bench
	@bin/bench -growth $(SIZES) $(ARGS)

.PHONY: bench-go
bench-go: compiler modules ## run the benchmarks of packages that match BENCH; read ratios, not rates
	@go test -tags '$(TAGS)' -run '^$$' -bench '$(BENCH)' -benchmem ./... | grep -v 'no test files'

.PHONY: bench-board
bench-board: compiler modules browser ## measure from a webhook to its card on an open board, 100 times
	@go test -tags '$(TAGS)' -run '^$$' -bench WebhookToCard -benchtime 100x ./api/dashboard

.PHONY: cover
cover: compiler modules browser ## write coverage.out and print the total
	@go test -tags '$(TAGS)' -coverpkg=./... -coverprofile=coverage.out ./... >/dev/null
	@go tool cover -func=coverage.out | tail -n 1

##@ Write

.PHONY: fmt
fmt: ## format the Go files
	@gofmt -l -w .

.PHONY: golden
golden: compiler ## rewrite what is generated: golden files, the diagram, openapi.json, asyncapi.json
	@packages=$$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -r -n 1 dirname | sort -u); \
	$(GO_TEST) -count=1 -run '$(GENERATING)' $$packages -update

.PHONY: screenshots
screenshots: compiler modules browser ## take docs/screenshots anew, of every page in both themes
	@go test -tags '$(TAGS)' -count=1 -run TestScreenshots ./api/dashboard -screenshots $(CURDIR)/docs/screenshots

include deploy/release.mk

.PHONY: clean
clean: ## remove what was built here; never the data folder
	@rm -rf bin dist coverage.out

# What other targets need.

# Without npm, or its registry, nobody can install what checks the types.
.PHONY: types-where-npm-is
types-where-npm-is:
	@mkdir -p bin; \
	if ! command -v npm >/dev/null; then \
		echo "types: skipped, there is no npm"; \
	elif ! $(MAKE) bin/types/installed >bin/types.log 2>&1; then \
		echo "types: skipped, what checks them cannot be installed here (bin/types.log says why)"; \
	else \
		$(MAKE) types; \
	fi

.PHONY: fmt-check
fmt-check:
	@unformatted=$$(gofmt -l .); \
	[[ -z $$unformatted ]] || { echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; } >&2

.PHONY: modules
modules:
	@go mod download

.PHONY: compiler
compiler:
	@.ci/compiler

.PHONY: browser
browser:
	@.ci/browser

.PHONY: terminal
terminal:
	@.ci/terminal

$(GOLANGCI_LINT):
	@GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv bin/golangci-lint $@

$(GOVULNCHECK):
	@GOBIN=$(CURDIR)/bin go install golang.org/x/vuln/cmd/govulncheck@v1.1.4
	@mv bin/govulncheck $@

bin/types/installed: Makefile
	@mkdir -p bin/types/api
	@cd bin/types && npm install --silent --no-audit --no-fund --no-save --prefix . $(TYPES)
	@cd bin/types/api && npm install --silent --no-audit --no-fund --no-save --prefix . $(API_TYPES)
	@touch $@

# Bento is a module of its own: nothing of the project depends on it.
bin/bento:
	@cd cmd/bench/peers/bento && go build -o $(CURDIR)/$@ .

bin/bento-csqlite:
	@cd cmd/bench/peers/bento && go build -tags csqlite -o $(CURDIR)/$@ .

bin/versitygw-v1.8.0:
	@GOBIN=$(CURDIR)/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
	@mv bin/versitygw $@

bin/nats-server: go.mod
	@go build -o bin/nats-server github.com/nats-io/nats-server/v2
