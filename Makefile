# Thin on purpose: each target is one script or a few lines. `make` alone lists them.

PREFIX ?= /usr/local
DESTDIR ?=
# What is installed has the GPU path, so that one binary serves every machine, and keeps what a GPU has learned.
FEATURES ?= scriven-service/persistence
# GPU=0 builds and tests without it: its first build takes three times the rest.
GPU ?= 1
MODEL ?= tiny.en
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export GPU MODEL

bindir := $(PREFIX)/bin
sharedir := $(PREFIX)/share
unitdir := $(PREFIX)/lib/systemd/user
built := $(CARGO_TARGET_DIR)/release
at = $(DESTDIR)$(1)

.PHONY: help build demo test fuzz bench lint man install uninstall

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: ## the two programs as they are installed: release, with the GPU path
	tests/scripts/setup.sh build
	cargo build --release --features "$(FEATURES)" -p scriven-service -p scriven-tools

demo: ## eleven seconds of speech become text in another process, on a machine of its own making
	tests/scripts/setup.sh demo
	cargo build -p scriven-service -p scriven-tools
	tests/scripts/demo.sh "$(CARGO_TARGET_DIR)/debug"

test: ## everything, on real parts; GPU=0 leaves the Vulkan path out
	tests/scripts/setup.sh test
	tests/scripts/test.sh

fuzz: ## inputs made to break what reads files and calls, FUZZ_SECONDS=60 for each of the targets
	tests/scripts/setup.sh build
	tests/scripts/fuzz.sh

bench: ## beside faster-whisper and whisper.cpp, in turn, on this machine; BENCH_ROUNDS=3 BENCH_MODELS="tiny.en base"
	tests/scripts/setup.sh bench
	cargo build -p scriven-service -p scriven-tools --bins --example measure
	"$(CARGO_TARGET_DIR)/bench/venv/bin/python" tests/measure/bench/bench.py "$(CARGO_TARGET_DIR)"

lint: ## the format and what clippy says
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

man: ## the manual pages, into target/man
	mkdir -p "$(CARGO_TARGET_DIR)/man"
	"$(built)/scriven" man "$(CARGO_TARGET_DIR)/man"
	for page in docs/man/*.[1-9]; do [ ! -e "$$page" ] || cp "$$page" "$(CARGO_TARGET_DIR)/man"; done

install: ## what `make build` has built: PREFIX=/usr/local DESTDIR=
	@test -x "$(built)/scrivend" -a -x "$(built)/scriven" || { echo 'run `make build` first' >&2; exit 1; }
	$(MAKE) --no-print-directory man
	install -Dm755 -t $(call at,$(bindir)) "$(built)/scrivend" "$(built)/scriven"
	install -d $(call at,$(unitdir)) $(call at,$(sharedir)/dbus-1/services)
	sed 's|@BINDIR@|$(bindir)|g' systemd/scriven.service >$(call at,$(unitdir)/scriven.service)
	sed 's|@BINDIR@|$(bindir)|g' systemd/org.scriven.Dictation1.service \
		>$(call at,$(sharedir)/dbus-1/services/org.scriven.Dictation1.service)
	install -d $(call at,$(sharedir)/applications)
	sed 's|@BINDIR@|$(bindir)|g' systemd/org.scriven.Scriven.desktop \
		>$(call at,$(sharedir)/applications/org.scriven.Scriven.desktop)
	install -Dm644 -t $(call at,$(sharedir)/dbus-1/interfaces) docs/dbus/*.xml
	for page in "$(CARGO_TARGET_DIR)"/man/*.[1-9]; do \
		install -Dm644 -t $(call at,$(sharedir)/man/man$${page##*.}) "$$page"; done
	install -d $(call at,$(sharedir)/bash-completion/completions) \
		$(call at,$(sharedir)/zsh/site-functions) $(call at,$(sharedir)/fish/vendor_completions.d)
	"$(built)/scriven" completions bash >$(call at,$(sharedir)/bash-completion/completions/scriven)
	"$(built)/scriven" completions zsh >$(call at,$(sharedir)/zsh/site-functions/_scriven)
	"$(built)/scriven" completions fish >$(call at,$(sharedir)/fish/vendor_completions.d/scriven.fish)
	install -Dm644 -t $(call at,$(sharedir)/doc/scriven) README.md CHANGELOG.md LICENSE-* docs/*.md

uninstall: ## takes away what `make install` has installed
	rm -f $(call at,$(bindir))/scriven $(call at,$(bindir))/scrivend
	rm -f $(call at,$(unitdir))/scriven.service
	rm -f $(call at,$(sharedir))/dbus-1/services/org.scriven.Dictation1.service
	rm -f $(call at,$(sharedir))/applications/org.scriven.Scriven.desktop
	rm -f $(call at,$(sharedir))/dbus-1/interfaces/org.scriven.Dictation1*.xml
	rm -f $(call at,$(sharedir))/man/man[1-9]/scriven*.[1-9]
	rm -f $(call at,$(sharedir))/bash-completion/completions/scriven
	rm -f $(call at,$(sharedir))/zsh/site-functions/_scriven
	rm -f $(call at,$(sharedir))/fish/vendor_completions.d/scriven.fish
	rm -rf $(call at,$(sharedir))/doc/scriven
