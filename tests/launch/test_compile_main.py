"""A compiler of ours for the entry sees its source and file once, and leaves the program's ending alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrace.hook.program import read_program
from tests.launch.shapes import SHAPES, run_shape

DRIVER = """\
import sys
from autotrace.hook.launch import launch
from autotrace.hook.search_path import leave_path
from autotrace.hook.program import read_program

leave_path()

def compile_main(source, filename):
    sys.stderr.write(f"autotrace: compiles {filename}\\n")
    with open(LOG, "a") as log:
        log.write(filename + "\\n")
    FAIL
    return compile(source, filename, "exec", dont_inherit=True)

launch(read_program(sys.argv[1:]), compile_main)
"""

ENTRIES = {
    "script": "{work}/attributes.py",
    "script by symbolic link": "{work}/links/app.py",
    "directory": "{work}/folder_program/__main__.py",
    "zip": "{work}/program.zip/__main__.py",
    "package": "{work}/package_program/__main__.py",
    "module in a package": "{work}/package_program/module.py",
    "module that fails": "{work}/uncaught.py",
    "code": "<string>",
    "stdin": "<stdin>",
    "source in latin-1": "{work}/latin_source.py",
    "spawned pool": "{work}/spawn_pool.py",
    "uncaught exception": "{work}/uncaught.py",
}


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("name", ENTRIES)
def test_the_compiler_is_asked_once_and_may_fail(name: str, failing: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    driver = tmp_path / "driver.py"
    fail = "raise SyntaxError('cannot weave')" if failing else ""
    driver.write_text(DRIVER.replace("LOG", repr(str(log))).replace("FAIL", fail))
    work = tmp_path / "work"
    plain = run_shape(SHAPES[name], work)
    assert run_shape(SHAPES[name], work, (str(driver),)) == plain
    assert log.read_text() == ENTRIES[name].replace("{work}", str(work)) + "\n"


@pytest.mark.parametrize("name", ["syntax error", "module with a syntax error", "code with a syntax error"])
def test_a_syntax_error_of_the_program_is_shown_as_python_shows_it(name: str, tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER.replace("LOG", repr(str(tmp_path / "log"))).replace("FAIL", ""))
    plain = run_shape(SHAPES[name], tmp_path / "work")
    assert run_shape(SHAPES[name], tmp_path / "work", (str(driver),)) == plain


def test_targets_may_call_the_entry_by_its_stem_or_its_module_name(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.touch()
    assert read_program([str(script)]).names == ("__main__", "app")
    assert read_program(["-m", "orders.worker"]).names == ("__main__", "orders.worker", "orders.worker.__main__")
    assert read_program(["-c", "pass"]).names == ("__main__",)
