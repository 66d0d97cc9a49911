#!/bin/sh
# Installs and runs every check: formatting, lint, types, architecture, tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing=""
while read -r package; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done <.ci/system-packages
if [ -n "$missing" ]; then
    echo "Installing$missing with apt-get (about a minute); their services stay off"
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && touch $policy.ours"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # one word a package
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    [ ! -e "$policy.ours" ] || as_root rm "$policy" "$policy.ours"
fi

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
