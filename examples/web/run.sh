#!/bin/sh
# Installs autotrace into .venv, runs the web example under it, and draws the trace of its last request.
set -eu
cd "$(dirname "$0")/../.."
sh .ci/environment web
.venv/bin/python -m autotrace examples/web/demo.py
.venv/bin/autotrace traces --store examples/web/.autotrace/traces.db --limit 5
.venv/bin/autotrace show --store examples/web/.autotrace/traces.db
