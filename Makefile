# make demo     build, and look at a small real dump
# make test     build, and run all tests
# make help     the other targets

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=

BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

PROGRAM = .build/release/rdbkit
COMPLETIONS = .build/completions
DEMO = testdata/demo/shop.rdb
PAGES = $(sort $(wildcard man/*.1))

# With the runtime inside, an installed program needs no Swift. Generics are specialised across modules.
RELEASE = -c release -Xswiftc -cross-module-optimization --static-swift-stdlib -Xswiftc -use-ld=lld

.PHONY: all deps demo test test-deps bench install uninstall man completions golden format lint clean help

all:
	$(SWIFT) build $(RELEASE) --product rdbkit

# What the package's C targets need.
deps:
	@.ci/packages pkg-config=pkg-config liblzf-dev=pc:liblzf zlib1g-dev=pc:zlib libpcre2-dev=pc:libpcre2-8 \
		liblz4-dev=pc:liblz4

demo: deps
	@$(MAKE) --no-print-directory all
	@printf '\n$$ rdbkit json $(DEMO)\n'
	@$(PROGRAM) json $(DEMO)
	@printf '\n$$ rdbkit info $(DEMO)\n'
	@$(PROGRAM) info $(DEMO)

# Programs that tests run beside rdbkit.
test-deps: deps
	@.ci/packages redis-server=redis-server redis-tools=redis-cli mandoc=mandoc python3=python3 gzip=gzip \
		openssl=openssl
	@.ci/packages python3-venv=py:ensurepip chromium=chromium || echo 'tests that want these are skipped' >&2
	@.ci/test-venv .build/test-venv duckdb

test: test-deps
	@$(MAKE) --no-print-directory all
	Tests/fetch-servers.sh
	RDBKIT=$(CURDIR)/$(PROGRAM) $(SWIFT) test --disable-xctest

# Rewrites what the tests of the command line expect. Read the difference before you commit it.
golden: all
	RDBKIT=$(CURDIR)/$(PROGRAM) RDBKIT_GOLDEN=rewrite $(SWIFT) test --disable-xctest --filter CommandTests
	git diff --stat -- testdata/golden

bench: deps
	@$(MAKE) --no-print-directory all
	$(SWIFT) build $(RELEASE) --product rdbkit-bench
	Sources/rdbkit-bench/prepare.sh
	RDBKIT=$(PROGRAM) .build/release/rdbkit-bench run
	RDBKIT=$(PROGRAM) .build/release/rdbkit-bench restore
	RDBKIT=$(PROGRAM) .build/release/rdbkit-bench log
	RDBKIT=$(PROGRAM) .build/release/rdbkit-bench instructions

# Rewrites the options in the man pages from the program's own help.
man: all
	man/write-options.py $(PROGRAM) $(PAGES)

completions: all
	@mkdir -p $(COMPLETIONS)
	$(PROGRAM) --generate-completion-script bash > $(COMPLETIONS)/rdbkit.bash
	$(PROGRAM) --generate-completion-script zsh > $(COMPLETIONS)/_rdbkit
	$(PROGRAM) --generate-completion-script fish > $(COMPLETIONS)/rdbkit.fish

install: completions
	install -d $(BINDIR) $(MANDIR) $(BASHDIR) $(ZSHDIR) $(FISHDIR)
	install -s -m 755 $(PROGRAM) $(BINDIR)/rdbkit
	install -m 644 $(PAGES) $(MANDIR)
	install -m 644 $(COMPLETIONS)/rdbkit.bash $(BASHDIR)/rdbkit
	install -m 644 $(COMPLETIONS)/_rdbkit $(ZSHDIR)/_rdbkit
	install -m 644 $(COMPLETIONS)/rdbkit.fish $(FISHDIR)/rdbkit.fish

uninstall:
	rm -f $(BINDIR)/rdbkit $(BASHDIR)/rdbkit $(ZSHDIR)/_rdbkit $(FISHDIR)/rdbkit.fish
	rm -f $(addprefix $(MANDIR)/,$(notdir $(PAGES)))

format:
	$(SWIFT) format format --in-place --parallel --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests
	mandoc -T lint -W warning $(PAGES)

clean:
	rm -rf .build

help:
	@echo 'make all          build the program: $(PROGRAM)'
	@echo 'make demo         show a small real dump as JSON Lines, and what it is'
	@echo 'make test         run all tests'
	@echo 'make install      install program, man pages and completions; PREFIX=/usr/local, DESTDIR'
	@echo 'make uninstall    remove them'
	@echo 'make deps         install the libraries that the build needs (Debian packages)'
	@echo 'make bench        measure time, memory and instructions'
	@echo 'make man          bring the options in the man pages up to date'
	@echo 'make completions  write completions for bash, zsh and fish to $(COMPLETIONS)'
	@echo 'make golden       rewrite the expected output of the command line'
	@echo 'make format       format the sources'
	@echo 'make lint         check the format of sources and man pages'
	@echo 'make clean        remove what was built'
