# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

.PHONY: demo test check style types imports tests install-check soak bench schemas screens docs clean

# Hear a voice, ring a (virtual) phone. Ends with hello.wav and heard.wav.
demo: $(INSTALLED)
	$(BIN)/asyncflow --sandbox tts "Hello. This is asyncflow, speaking from your own machine." -o hello.wav
	$(BIN)/asyncflow --sandbox call --to +15551230001 "Hello. Your table is ready. Goodbye." --save-heard heard.wav
	@echo "hello.wav is the voice; heard.wav is what the phone heard. Play them with any player."

test: check  ## Everything CI runs

check: style types imports tests

style: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows asyncflow_cli

imports: $(INSTALLED)
	$(BIN)/lint-imports --no-cache

# Real processes, sockets and signals, side by side on every core: a test that fails in company is
# run once more alone, under its name. What fails twice fails.
tests: $(INSTALLED)
	$(PYTEST) --numprocesses auto --dist worksteal || { test $$? -eq 1 \
	&& echo "Failed beside others, each a race to be mended. Once more, alone:" \
	&& $(PYTEST) --verbose --last-failed --last-failed-no-failures none; }

install-check: $(INSTALLED)  ## Build the wheel, and install it with pip, uv and pipx in clean places
	bash tests/install/check.sh $(BIN)/python

soak: $(INSTALLED)  ## The long runs, a minute or so
	$(BIN)/pytest -s -m soak
	$(BIN)/pytest -q tests/protocol --hypothesis-profile soak

bench: $(INSTALLED)  ## How fast all of it is, beside what one would use instead; some minutes
	$(BIN)/python -m benchmarks

schemas: $(INSTALLED)  ## Write docs/schemas anew, after a report has changed
	for name in $$($(BIN)/asyncflow schema); do $(BIN)/asyncflow schema $$name > docs/schemas/$$name.json; done
	$(BIN)/python -m tests.promises

screens: $(INSTALLED)  ## Write tests/screens/snapshots anew; then look at what git says has changed
	RENEW_SCREENS=1 $(BIN)/pytest -q tests/screens

docs: $(INSTALLED)  ## Write the reference and the man pages anew, after a command has changed
	$(BIN)/python docs/write.py

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "asyncflow needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "Setting up .venv ..."
	@began=$$(date +%s) \
	&& $(PYTHON) -m venv .venv \
	&& $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' \
	&& $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[sandbox,ngrok,keyring,jq,fast]' --group dev \
	&& touch $@ && echo "Set up in $$(($$(date +%s) - began)) s"

clean:
	rm -rf .venv build dist *.egg-info hello.wav heard.wav
