"""Endings that need more than a command line: closed pipes, an isolated interpreter, the console script."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.launch.shapes import REPOSITORY, SHAPES, Ending, run_shape

PROGRAMS = REPOSITORY / "tests" / "programs"
LAUNCHERS = ((), ("-m", "autotrace"))


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "AUTOTRACE": "off"}


def run(words: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def ending_with_closed_pipe(launcher: tuple[str, ...], program: str) -> tuple[int, str]:
    reader, writer = os.pipe()
    os.close(reader)
    environment = clean_environment()
    command = [sys.executable, *launcher, str(PROGRAMS / program)]
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, env=environment, text=True)
    os.close(writer)
    return process.wait(60), process.communicate()[1]


@pytest.mark.parametrize("program", ["prints_much.py", "prints_little.py"])
def test_a_closed_pipe_ends_the_program_as_under_python(program: str) -> None:
    plain, launched = (ending_with_closed_pipe(launcher, program) for launcher in LAUNCHERS)
    assert launched == plain
    assert plain[0] == (1 if program == "prints_much.py" else 120)


@pytest.fixture(scope="module")
def isolated_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with autotrace in its site-packages, for -I leaves PYTHONPATH out."""
    folder = tmp_path_factory.mktemp("isolated")
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "autotrace.pth").write_text("\n".join([str(REPOSITORY), *site.getsitepackages()]))
    return str(folder / "bin" / "python")


@pytest.mark.parametrize("name", ["script", "directory", "module", "code", "uncaught exception"])
def test_an_isolated_interpreter_stays_isolated(name: str, isolated_python: str, tmp_path: Path) -> None:
    words = SHAPES[name].words
    shape = type(SHAPES[name])(words, flags=("-I",))
    plain = run_shape(shape, tmp_path / "work", python=isolated_python)
    assert run_shape(shape, tmp_path / "work", LAUNCHERS[1], python=isolated_python) == plain


CONSOLE_SHAPES = (
    *("script", "directory", "zip", "package", "module that is missing", "module that fails", "code", "stdin"),
    *("spawned pool", "uncaught exception", "KeyboardInterrupt raised", "exit with a text", "prompt afterwards"),
    *("safe path", "atexit"),
)


@pytest.mark.parametrize("name", CONSOLE_SHAPES)
def test_the_console_script_ends_as_python(name: str, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "autotrace"
    script.parent.mkdir()
    script.write_text("import sys\nfrom autotrace.cli.main import main\nsys.exit(main())\n")
    plain: Ending = run_shape(SHAPES[name], tmp_path / "work")
    assert run_shape(SHAPES[name], tmp_path / "work", (str(script),)) == plain
    assert run_shape(SHAPES[name], tmp_path / "work", (str(script), "run")) == plain


def test_a_missing_script_is_refused_in_the_words_of_python(tmp_path: Path) -> None:
    plain, launched = (run([*launcher, "nosuch.py"], tmp_path) for launcher in LAUNCHERS)
    assert launched.returncode == plain.returncode == 2
    assert launched.stderr.startswith("autotrace: ")
    assert launched.stderr.split(": ", 1)[1] == plain.stderr.split(": ", 1)[1]


def test_a_command_word_is_the_command_and_a_path_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("print('the file')\n")
    assert run(["-m", "autotrace", "version"], tmp_path).stdout.startswith("autotrace ")
    assert run(["-m", "autotrace", "./version"], tmp_path).stdout == "the file\n"
    assert run(["-m", "autotrace", "run", "version"], tmp_path).stdout == "the file\n"


def test_a_planned_command_says_that_it_is_not_built_yet(tmp_path: Path) -> None:
    (tmp_path / "ui").write_text("print('the file')\n")
    ended = run(["-m", "autotrace", "ui"], tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'ui' is not built yet" in ended.stderr
    assert run(["-m", "autotrace", "./ui"], tmp_path).stdout == "the file\n"


def test_a_command_beside_the_interpreter_is_found_without_activating_its_environment(tmp_path: Path) -> None:
    ended = run(["-m", "autotrace", "run", "--", "pytest", "--version"], tmp_path, PATH="/usr/bin")
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "pytest")


def test_an_installed_command_runs_after_two_dashes(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "serve"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv, __name__, sys.path[0])\n")
    command.chmod(0o755)
    ended = run(["-m", "autotrace", "run", "--", "serve", "--port", "1"], tmp_path, PATH=str(command.parent))
    assert ended.stdout == f"{[str(command), '--port', '1']} __main__ {command.parent}\n"
    ended = run(["-m", "autotrace", "run", "--", "no-such-command"], tmp_path)
    assert (ended.returncode, ended.stderr) == (2, "autotrace: command not found: no-such-command\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--conifg", "a", "app.py"],
            "unknown option --conifg; there are --config FILE, --process NAME, --report, --version, --help",
        ),
        (["-O", "app.py"], "options of python stand before: python -O -m autotrace"),
        (["--config"], "--config needs a file"),
        (["-m"], "argument expected for the -m option"),
        (["--html", "a.html", "app.py"], "the option --html is not built yet"),
    ],
)
def test_a_wrong_option_stops_before_the_program(words: list[str], message: str, tmp_path: Path) -> None:
    ended = run(["-m", "autotrace", *words], tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("autotrace: ")
    assert message in ended.stderr


def test_the_help_names_every_command_with_examples(tmp_path: Path) -> None:
    ended = run(["-m", "autotrace", "--help"], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("autotrace app.py", "autotrace -m", "schema", "traces", "show", "version", "AUTOTRACE=off"):
        assert word in ended.stdout


def test_switched_off_nothing_heavy_is_imported_and_no_config_is_read(tmp_path: Path) -> None:
    (tmp_path / "tracing.toml").write_text("this is = not = a config")
    code = "import sys; print(*sorted(sys.modules), len(sys.meta_path))"
    plain, launched = (run([*launcher, "-c", code], tmp_path) for launcher in LAUNCHERS)
    assert (launched.returncode, launched.stderr) == (0, "")
    assert launched.stdout.split()[-1] == plain.stdout.split()[-1]
    heavy = {"argparse", "asyncio", "multiprocessing", "pydantic", "wrapt", "opentelemetry", "tomli", "pathlib", "ssl"}
    assert not heavy & (set(launched.stdout.split()) - set(plain.stdout.split()))
