"""Children that a traced program starts itself: traced where they run the same interpreter, and never changed by that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.children.traced import EVERYTHING_OF_MAIN, python, recorded, traced, write

CHILD = """\
import os, sys
def work(n):
    return n + 1
if __name__ == "__main__":
    print(work(1), sys.argv, sys.orig_argv[1:], sys.flags.optimize, sys.warnoptions, sorted(os.environ), sys.path)
    print("to stderr", file=sys.stderr)
    sys.exit(7)
"""

# Each way to start `python WORDS` and to end with its exit code.
WAYS = {
    "run": "sys.exit(subprocess.run([sys.executable, *words]).returncode)",
    "run with a copy of the environment": (
        "sys.exit(subprocess.run([sys.executable, *words], env=os.environ.copy()).returncode)"
    ),
    "run with a changed environment": (
        "sys.exit(subprocess.run([sys.executable, *words], env={**os.environ, 'LANG': 'C'}).returncode)"
    ),
    "through a shell": "sys.exit(subprocess.run(' '.join([sys.executable, *words]), shell=True).returncode)",
    "os.system": "sys.exit(os.waitstatus_to_exitcode(os.system(' '.join([sys.executable, *words]))))",
    "os.execv": "sys.stdout.flush(); os.execv(sys.executable, [sys.executable, *words])",
    "os.execve": "sys.stdout.flush(); os.execve(sys.executable, [sys.executable, *words], dict(os.environ))",
    "os.spawnv": "sys.exit(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, *words]))",
    "os.posix_spawn": (
        "pid = os.posix_spawn(sys.executable, [sys.executable, *words], os.environ)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    ),
    "asyncio": (
        "import asyncio\n"
        "async def main():\n"
        "    child = await asyncio.create_subprocess_exec(sys.executable, *words)\n"
        "    return await child.wait()\n"
        "sys.exit(asyncio.run(main()))"
    ),
    "PYTHONPATH set meanwhile": (
        "os.environ['PYTHONPATH'] = os.environ.get('PYTHONPATH', '') + os.pathsep + '/nowhere'\n"
        "sys.exit(subprocess.run([sys.executable, *words]).returncode)"
    ),
}


def parent(way: str, words: list[str]) -> str:
    return f"import os, subprocess, sys\nwords = {words!r}\n{way}\n"


@pytest.mark.parametrize("way", WAYS)
def test_the_functions_of_a_child_script_are_traced_and_the_child_is_as_without_us(way: str, tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, child=CHILD, app=parent(WAYS[way], ["child.py", "a"]))
    plain = python(tmp_path, "app.py")
    outcome = traced(tmp_path, "app.py")
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    assert outcome.returncode == 7
    assert [one.name for one in recorded(tmp_path) if one.name == "work"] == ["work"]


@pytest.mark.parametrize(
    "words",
    [["-O", "-W", "ignore", "child.py", "-m"], ["-m", "child", "x"], ["-Bmchild"], ["-c", CHILD, "-c"], ["./child.py"]],
    ids=["flags", "module", "glued", "code", "relative"],
)
def test_every_way_to_name_the_program_of_a_child_is_kept(words: list[str], tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, child=CHILD, app=parent(WAYS["run"], words))
    plain = python(tmp_path, "app.py")
    outcome = traced(tmp_path, "app.py")
    assert outcome.stdout.replace("'-B', '-m', 'child'", "'-Bmchild'") == plain.stdout
    assert (outcome.stderr, outcome.returncode) == (plain.stderr, plain.returncode)
    assert len(recorded(tmp_path, "work")) == 1


def test_the_child_of_a_child_is_traced_in_its_own_process(tmp_path: Path) -> None:
    write(
        tmp_path,
        tracing=EVERYTHING_OF_MAIN,
        child=CHILD,
        middle=parent(WAYS["run with a changed environment"], ["child.py"]),
        app="import os, subprocess, sys\ndef start():\n    return subprocess.run([sys.executable, 'middle.py'])\nstart()\n",
    )
    traced(tmp_path, "app.py")
    start, work = recorded(tmp_path)
    assert (start.name, work.name) == ("start", "work")
    assert start.pid != work.pid and start.trace != work.trace


def test_an_empty_environment_stays_empty(tmp_path: Path) -> None:
    code = "import os, sys; os.write(1, repr(sorted(os.environ)).encode())"
    app = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}], env={{}})\n"
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    assert traced(tmp_path, "app.py").stdout == python(tmp_path, "app.py").stdout


def test_the_application_sees_nothing_of_it_in_its_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        tracing=EVERYTHING_OF_MAIN,
        app="import os\ndef show():\n    print(sorted(os.environ.items()))\nshow()\n",
    )
    assert traced(tmp_path, "app.py").stdout == python(tmp_path, "app.py").stdout


def test_a_sitecustomize_of_the_user_runs_once(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("print('customized')\n")
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, child=CHILD, app=parent(WAYS["run"], ["child.py"]))
    search_path = f"{folder}:{Path(__file__).parents[2]}"
    plain = python(tmp_path, "app.py", PYTHONPATH=search_path)
    outcome = traced(tmp_path, "app.py", PYTHONPATH=search_path)
    assert outcome.stdout.count("customized") == 2
    assert outcome.stdout == plain.stdout


def test_a_failing_sitecustomize_says_what_it_says_without_us(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("raise ValueError('broken')\n")
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, child=CHILD, app=parent(WAYS["run"], ["child.py"]))
    search_path = f"{folder}:{Path(__file__).parents[2]}"
    assert (
        traced(tmp_path, "app.py", PYTHONPATH=search_path).stderr
        == python(tmp_path, "app.py", PYTHONPATH=search_path).stderr
    )


SEEN = "import sys; print([name for name in sys.modules if name.startswith('autotrace')])"


@pytest.mark.parametrize("tool", ["-m pip --version", "-m py_compile app.py", "-m compileall -q app.py"])
def test_tools_that_install_and_build_are_not_traced(tool: str, tmp_path: Path) -> None:
    app = parent(WAYS["run"], ["-v", *tool.split()])
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    outcome = python(tmp_path, "-m", "autotrace", "app.py")
    assert "import 'autotrace" not in outcome.stderr
    assert "import 'sitecustomize'" in outcome.stderr or "sitecustomize.py" in outcome.stderr


def test_a_child_for_which_it_is_switched_off_is_not_traced(tmp_path: Path) -> None:
    call = f"subprocess.run([sys.executable, '-c', {SEEN!r}], env={{**os.environ, 'AUTOTRACE': 'off'}})"
    app = f"import os, subprocess, sys\n{call}\n"
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    assert traced(tmp_path, "app.py").stdout == "[]\n"


def test_the_python_of_another_environment_runs_untouched(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    other = str(tmp_path / "other" / "bin" / "python")
    app = f"import subprocess\nprint(subprocess.run([{other!r}, '-c', {SEEN!r}], capture_output=True, text=True))\n"
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    outcome = traced(tmp_path, "app.py")
    assert "stdout='[]\\n', stderr=''" in outcome.stdout


def test_a_child_that_reads_its_program_from_stdin_runs(tmp_path: Path) -> None:
    call = "subprocess.run([sys.executable, '-'], input=b'print(6 * 7)', capture_output=True)"
    app = f"import subprocess, sys\nprint({call})\n"
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    assert traced(tmp_path, "app.py").stdout == python(tmp_path, "app.py").stdout


def test_a_child_that_cannot_be_opened_fails_as_under_python(tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=parent(WAYS["run"], ["missing.py"]))
    plain = python(tmp_path, "app.py")
    outcome = traced(tmp_path, "app.py")
    assert (outcome.stderr, outcome.returncode) == (plain.stderr, plain.returncode)


def test_the_store_and_the_config_of_the_parent_serve_a_child_in_another_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, child=CHILD)
    write(tmp_path, tracing=EVERYTHING_OF_MAIN)
    (tmp_path / "app.py").write_text(
        f"import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], cwd={str(elsewhere)!r})\n"
    )
    traced(tmp_path, "app.py")
    assert [one.service for one in recorded(tmp_path, "work")] == ["parent"]
    assert not (elsewhere / ".autotrace").exists()


def test_an_exec_of_itself_is_traced_before_and_after(tmp_path: Path) -> None:
    app = """\
import os, sys
def work(n):
    return n
work(1)
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, *sys.argv, "again"])
"""
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    traced(tmp_path, "app.py")
    spans = recorded(tmp_path, "work")
    assert len({one.pid for one in spans}) == 1
    assert len({one.trace for one in spans}) == len(spans) == 2
