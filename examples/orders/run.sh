#!/bin/sh
# Installs autotrace into .venv, runs the four services of the orders example under it, and draws two traces: that of an
# order that could not be paid, and the newest.
set -eu
cd "$(dirname "$0")/../.."
sh .ci/environment orders
.venv/bin/python -m autotrace examples/orders/app.py
.venv/bin/autotrace traces --store examples/orders/.autotrace/traces.db --endpoint 'POST /orders'
.venv/bin/autotrace show --store examples/orders/.autotrace/traces.db --last-error
.venv/bin/autotrace show --store examples/orders/.autotrace/traces.db --tree
