# The commands: `make dev`, `make check` and `make test`. Each sets up what it needs, once. `make help` lists all.
# Every step is small enough to run alone, e.g. `make worker-test TESTS=tests/worker/health.test.mjs`.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PORT ?= 8787
STATE ?= .state
TESTS ?= tests/worker/*.test.mjs
export PORT STATE

# npm's node is new enough for wrangler and Miniflare, with any node of the machine.
NODE := node_modules/.bin/node
WRANGLER := $(NODE) node_modules/wrangler/bin/wrangler.js
WASM_TARGET := wasm32-unknown-unknown
SOURCES := $(shell find src -path src/bin -prune -o -type f -print 2>/dev/null) integration.schema.json openapi.json Cargo.toml Cargo.lock

# The `causeway` command, which scripts/ call by this name. The tests build the same one.
CAUSEWAY := $(or $(CARGO_TARGET_DIR),target)/debug/causeway
export CAUSEWAY

# Local runs and builds never ask the network for anything.
export WRANGLER_SEND_METRICS := false
export WRANGLER_SEND_ERROR_REPORTS := false
export WRANGLER_HIDE_BANNER := true
export CLOUDFLARE_CF_FETCH_ENABLED := false

# The SFTP Worker is built where a clang compiles for wasm32.
SFTP_BUILD := $(shell scripts/build-sftp can && echo build/sftp/index.js)
export SFTP_BUILD
SFTP_TESTS ?= tests/sftp/*.test.mjs

say = @echo "==> $(1)"

BEGAN := $(shell date +%s)
good = @echo "==> Good after $$(( $$(date +%s) - $(BEGAN) )) s"

RUN_TESTS = $(NODE) --test --disable-warning=ExperimentalWarning --test-force-exit --test-timeout=300000 --test-reporter=spec
# Two files at a time: a Worker test waits for the most part.
RUN_WORKER_TESTS = $(RUN_TESTS) --test-concurrency=2 '$(TESTS)'

# Few Worker tests run the command: the others need not wait for it.
COMMAND_OF_TESTS := $(if $(shell grep -ls CAUSEWAY $(TESTS)),$(CAUSEWAY))

# The native tests that write a file under UPDATE=1, by the helper they write with: tests/native/command/guide.rs is `command::guide`.
GENERATORS = $(shell grep -rl same_as_stored tests/native | sed 's|^tests/native/||; s|/mod.rs$$||; s|.rs$$||; s|/|::|g')

##@ Everyday
dev: setup build/quick/index.js build/assets/docs.html ## run the gateway on PORT (8787) with storage in STATE (.state)
	@exec $(NODE) --disable-warning=ExperimentalWarning scripts/dev.mjs

check: prerequisites ## before each commit: format, lints, native tests; NAME=… runs the tests of that name only
	@scripts/check $(NAME)
	$(good)

fix: prerequisites ## format, and write every generated file again: schema, openapi.json, tables and examples of docs/
	$(call say,Formatting)
	@cargo fmt
	@cargo fmt --manifest-path sftp/Cargo.toml
	$(call say,What native tests write)
	@UPDATE=1 cargo test --locked --features cli --quiet --test native -- $(GENERATORS)
	@UPDATE=1 $(MAKE) worker-test TESTS=tests/worker/error-table.test.mjs

worker-test: setup $(COMMAND_OF_TESTS) build/quick/index.js build/assets/docs.html ## the Worker in the real runtime, quick build; TESTS=tests/worker/….test.mjs runs one file
	$(call say,Worker tests in workerd on the quick build: $(TESTS))
	@$(RUN_WORKER_TESTS)
	$(good)

test: setup fmt clippy clippy-wasm native-test audit doc size worker-test-optimised sftp-test ## everything CI checks
	$(good)

deploy: setup $(CAUSEWAY) build/optimised build/assets/docs.html $(SFTP_BUILD) ## build, deploy to your Cloudflare account, publish integrations/
	@exec $(NODE) scripts/deploy.mjs

secret: node_modules/ready ## send NAME (SEALING_KEYS or ADMIN_TOKEN) of .deploy.vars to Cloudflare, where it replaces the value before
	@exec $(NODE) scripts/secret.mjs "$(NAME)"

bench: setup $(or $(BENCH_BUILD),build/optimised) build/floor/optimised ## the tables of docs/performance.md; ROWS=proxy,list for some rows, BENCH_OLD=folder for an older build in the same run
	@$(NODE) benches/throughput/run.mjs

profile: setup $(or $(BENCH_BUILD),build/optimised) ## processor profile of proxied calls, into build/proxy-profile.txt; ROWS=proxy,webhooks,webhooks-200; BENCH_OLD=folder as for bench
	@$(NODE) benches/throughput/profile.mjs

micro: prerequisites ## micro benchmarks of Rust functions, on this machine's target
	$(call say,Micro benchmarks (first time: 3 minutes))
	@cargo bench --locked --bench micro

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

##@ Steps
setup: prerequisites .tools/ready node_modules/ready ## build tools and npm packages, once

command: $(CAUSEWAY) ## the causeway command, in CAUSEWAY (target/debug/causeway)

worker: setup build/optimised ## the Worker as it is deployed, into build/

sftp: setup build/sftp/index.js ## the SFTP Worker as it is deployed, into build/sftp; needs clang

ifdef SFTP_BUILD
sftp-test: setup $(SFTP_BUILD) .tools/asyncssh/tried build/optimised ## the SFTP Worker: lints, Rust tests, in workerd against OpenSSH and asyncssh; SFTP_TESTS=… for some; skipped without clang
	$(call say,The SFTP Worker: lints and Rust tests (first time: 5 minutes))
	@scripts/check-sftp
	$(call say,The SFTP Worker in workerd: $(SFTP_TESTS))
	@$(RUN_TESTS) '$(SFTP_TESTS)'
else
sftp-test:
	$(call say,The SFTP Worker is not tested: it needs clang (apt-get install -y clang openssh-server))
endif

fmt: ## formatting
	$(call say,Formatting)
	@cargo fmt --check
	@cargo fmt --check --manifest-path sftp/Cargo.toml

clippy: ## lints, on this machine's target
	$(call say,Lints for this machine (first time: 1-2 minutes))
	@cargo clippy --locked --all-targets --features cli --quiet -- -D warnings

clippy-wasm: prerequisites ## lints, as the Worker is compiled
	$(call say,Lints for $(WASM_TARGET) (first time: 1 minute))
	@cargo clippy --locked --lib --target $(WASM_TARGET) --quiet -- -D warnings

native-test: ## Rust tests on this machine: the service, the causeway command, the guide, the JSON Schema; NAME=… for some
	$(call say,Rust tests (first time: 10 minutes))
	@cargo test --locked --features cli --quiet $(NAME)

audit: node_modules/ready ## sources, licences and known vulnerabilities of crates and npm packages; what cannot be asked is skipped with its reason
	$(call say,Audits)
	@$(NODE) scripts/audit.mjs

audit-tools: prerequisites ## cargo-deny into .tools/bin, for the advisories of crates (once, 5-10 minutes)
	$(call say,cargo-deny)
	@cargo install --locked --root .tools cargo-deny@0.20.2

doc: prerequisites ## API documentation without a warning, the Worker's shell included
	$(call say,Documentation)
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --lib --no-deps --document-private-items --target $(WASM_TARGET) --quiet

size: setup build/optimised ## gzipped size of the Worker; over 3 MB fails
	@$(NODE) scripts/size.mjs

worker-test-optimised: setup $(COMMAND_OF_TESTS) build/optimised build/assets/docs.html ## as worker-test, on the build that is deployed
	$(call say,Worker tests in workerd on the optimised build: $(TESTS))
	@$(RUN_WORKER_TESTS)

schemathesis: setup $(CAUSEWAY) build/optimised ## ask schemathesis (PyPI, needs python3) whether the Worker answers as /openapi.json says
	@$(NODE) scripts/schemathesis.mjs

publish: $(CAUSEWAY) ## send integrations/ to CAUSEWAY_URL with CAUSEWAY_TOKEN
	@$(CAUSEWAY) publish integrations/*.json --to "$(or $(CAUSEWAY_URL),$(error Say where: make publish CAUSEWAY_URL=https://… CAUSEWAY_TOKEN=…))"

dry-deploy: setup build/optimised build/assets/docs.html ## what a deployment would upload, without an account
	@$(WRANGLER) deploy --dry-run --outdir out

clean: ## remove everything made, except .state, .dev.vars and .deploy.vars
	rm -rf target build out .tools node_modules .wrangler

.PHONY: dev check fix worker-test test deploy secret bench profile micro help setup command worker fmt clippy clippy-wasm native-test audit audit-tools doc size worker-test-optimised schemathesis publish dry-deploy clean prerequisites sftp sftp-test

# What `make dev` and the tests run: the quick build, unless the target says otherwise.
dev fix worker-test: export WORKER_BUILD := build/quick

# Files below; each is made once and again when what it depends on changes.

prerequisites:
	@scripts/prerequisites

.tools/ready: Cargo.lock scripts/tools | prerequisites
	@scripts/tools
	@touch $@

node_modules/ready: package.json package-lock.json | prerequisites
	$(call say,npm packages (first time: 1 minute))
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CAUSEWAY): $(SOURCES) $(shell find src/bin -type f 2>/dev/null) | prerequisites
	$(call say,The causeway command (first time: 1 minute))
	@cargo build --locked --features cli --bin causeway
	@touch $@

build/quick/index.js: $(SOURCES) scripts/build scripts/bundle | .tools/ready node_modules/ready
	@scripts/build quick

build/index.js: $(SOURCES) scripts/build scripts/bundle | .tools/ready node_modules/ready
	@scripts/build

build/optimised: build/index.js scripts/optimise
	@scripts/optimise
	@touch $@

build/assets/docs.html: scripts/docs-page.mjs $(wildcard scripts/docs-page/*) node_modules/ready
	@$(NODE) scripts/docs-page.mjs

build/sftp/index.js: $(shell find sftp/src sftp/Cargo.toml sftp/Cargo.lock -type f 2>/dev/null) scripts/build-sftp scripts/bundle scripts/optimise | .tools/ready node_modules/ready
	@scripts/build-sftp

.tools/asyncssh/tried: scripts/asyncssh
	@scripts/asyncssh
	@mkdir -p $(@D)
	@touch $@

build/floor/optimised: benches/floor/Cargo.toml benches/floor/Cargo.lock benches/floor/src/lib.rs benches/floor/entry.js benches/floor/build scripts/bundle | .tools/ready node_modules/ready
	@benches/floor/build
	@touch $@
