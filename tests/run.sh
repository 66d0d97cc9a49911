#!/bin/sh
# Installs and runs every check: formatting, lint, types, architecture, tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
sh .ci/environment test
export PATH="$PWD/.venv/bin:$PATH"
echo "== ruff"
ruff check .
ruff format --check .
echo "== mypy"
mypy
echo "== import-linter"
lint-imports
echo "== pytest"
exec python -m pytest "$@"
