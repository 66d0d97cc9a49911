"""The first three minutes: what a user sees who has just installed autotrace."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from .program import environment, run, spans, tree, write

APP = """
import shop

def main():
    print(shop.buy({"type": "book"}))

main()
"""
SHOP = """
def buy(order):
    return price(order) + 1

def price(order):
    if order["type"] == "free":
        raise ValueError("nothing is free")
    return 41
"""
TRACING = """
service_name = "shop"

[[services]]
at = "shop"
tags = { kind = "order['type']" }

[[services]]
at = "app:main"
"""


def test_the_functions_that_the_file_names_become_one_trace(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING)
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "42\n", "")
    assert tree(tmp_path) == "main [shop]\n└─ buy\n   └─ price\n"


def test_a_tag_is_read_from_an_argument(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING)
    run(tmp_path, "app.py")
    assert {span["name"]: span["attributes"].get("kind") for span in spans(tmp_path)} == {
        "main": None,
        "buy": "book",
        "price": "book",
    }


def test_without_a_config_one_line_names_autotrace_init(tmp_path: Path) -> None:
    write(tmp_path, app="print(1)")
    outcome = run(tmp_path, "app.py")
    assert outcome.stdout == "1\n"
    assert outcome.stderr.count("\n") == 1
    assert "autotrace init" in outcome.stderr


def test_init_writes_a_file_that_passes_check_and_traces_something(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP)
    assert run(tmp_path, "init").returncode == 0
    assert run(tmp_path, "check").returncode == 0
    assert run(tmp_path, "app.py").stdout == "42\n"
    assert spans(tmp_path)


def test_a_mistake_in_the_file_stops_before_the_program_starts(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing='servce_name = "shop"\n')
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "tracing.toml:1:1:" in outcome.stderr
    assert "service_name" in outcome.stderr


def test_a_path_that_names_no_parameter_stops_before_the_program_starts(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing='[[services]]\nat = "shop:buy"\ntags = { kind = "oder.type" }\n')
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert 'did you mean "order"?' in outcome.stderr


def test_run_untraced_runs_the_program_and_says_so_loudly(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing='on_config_error = "run_untraced"\nservce_name = "shop"\n')
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stdout) == (0, "42\n")
    assert "UNTRACED" in outcome.stderr


def test_off_reads_no_config(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing="not toml")
    outcome = run(tmp_path, "app.py", AUTOTRACE="off")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "42\n", "")


def test_a_target_that_never_matched_is_named_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing='[[targets]]\nat = "shop:prce"\n')
    outcome = run(tmp_path, "app.py")
    assert outcome.returncode == 0
    assert outcome.stderr.startswith("autotrace: tracing.toml:2:6:")
    assert 'did you mean "price"?' in outcome.stderr


def test_an_error_is_kept_at_rate_0_and_leaves_as_it_came(tmp_path: Path) -> None:
    sampler = '\n[sampler]\ntype = "probabilistic"\nrate = 0.0\n'
    write(tmp_path, app=APP.replace("book", "free"), shop=SHOP, tracing=TRACING + sampler)
    outcome = run(tmp_path, "app.py")
    assert outcome.returncode == 1
    assert outcome.stderr.endswith("ValueError: nothing is free\n")
    assert "autotrace" not in outcome.stderr
    assert tree(tmp_path) == "main [shop] error\n└─ buy error\n   └─ price error\n"


def test_an_empty_store_says_that_everything_was_sampled_out(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING + '\n[sampler]\ntype = "probabilistic"\nrate = 0.0\n')
    run(tmp_path, "app.py")
    outcome = run(tmp_path, "show")
    assert outcome.returncode == 1
    assert "0 of 1" in outcome.stderr + outcome.stdout or "sampled" in outcome.stderr + outcome.stdout


def test_the_end_line_is_for_terminals_only(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING)
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "autotrace", "app.py"]
    subprocess.run(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    said = os.read(master, 4096).decode()
    os.close(master)
    assert said.strip() == "autotrace: 1 trace (1 kept of 1) -> .autotrace/traces.db; autotrace show"


def test_the_store_lies_beside_the_config_and_is_private(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING)
    (tmp_path / "elsewhere").mkdir()
    run(tmp_path / "elsewhere", "../app.py")
    folder = tmp_path / ".autotrace"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert spans(tmp_path / "elsewhere", "--store", str(folder / "traces.db"))


def test_a_pyproject_table_is_a_config(tmp_path: Path) -> None:
    write(tmp_path, app=APP, shop=SHOP)
    (tmp_path / "pyproject.toml").write_text('[tool.autotrace]\n[[tool.autotrace.services]]\nat = "shop"\n')
    assert run(tmp_path, "app.py").stderr == ""
    assert tree(tmp_path).startswith("buy [app]")


def test_install_takes_a_dict(tmp_path: Path) -> None:
    code = 'import autotrace\ntracing = autotrace.install({"service_name": "dict", "services": [{"at": "shop"}]})\n'
    write(tmp_path, app=code + "import shop\nprint(shop.buy({'type': 'x'}))\n", shop=SHOP)
    outcome = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (outcome.stdout, outcome.stderr) == ("42\n", "")
    assert tree(tmp_path) == "buy [dict]\n└─ price\n"


def nested(depth: int) -> str:
    """A function with so many blocks in each other."""
    loops = "".join(f"{'    ' * level}for _ in x:\n" for level in range(1, depth + 1))
    return f"def deep(x):\n{loops}{'    ' * (depth + 1)}return 1\n"


def compiles(source: str) -> bool:
    """Whether the compiler takes it; how many blocks it takes differs between versions."""
    try:
        compile(source, "shop.py", "exec")
    except SyntaxError:
        return False
    return True


def test_a_function_that_cannot_be_woven_is_patched_and_named_at_exit(tmp_path: Path) -> None:
    deep = next(source for source in map(nested, range(25, 0, -1)) if compiles(source))
    write(tmp_path, app="import shop\nprint(shop.deep([1]))\n", shop=deep, tracing='[[services]]\nat = "shop"\n')
    outcome = run(tmp_path, "app.py")
    assert outcome.stdout == "1\n"
    assert "autotrace: shop:deep cannot be woven, so it is patched: too many statically nested blocks" in outcome.stderr
    assert tree(tmp_path).startswith("deep [app]")
