"""What a child of a traced process finds first on PYTHONPATH: it decides whether the child is traced, and starts that.

Every Python 3 of the machine may come here, so the file is written for the oldest, and imports nothing before it has
decided. What the interpreter would have found under this name runs once, as ever.
"""

# ruff: noqa: PTH100, PTH110, PTH119, PTH120
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_OFF = ("off", "0", "false", "no")
_MODULES = frozenset(
    (
        *("autotrace", "build", "compileall", "distutils", "easy_install", "ensurepip", "flit", "flit_core", "hatch"),
        *("hatchling", "idlelib", "maturin", "pdm", "pip", "pipenv", "pipx", "poetry", "py_compile", "pydoc"),
        *("setuptools", "site", "sysconfig", "venv", "virtualenv", "wheel", "zipapp"),
    )
)
_SCRIPTS = frozenset(("setup.py", "get-pip.py", "__pip-runner__.py", "_in_process.py"))
_CODE = ("from multiprocessing.resource_tracker ", "from multiprocessing.semaphore_tracker ", "import setuptools")
_SPAWNED = ("from multiprocessing.spawn ", "from multiprocessing.forkserver ")


def _read(arguments: list) -> tuple:  # type: ignore[type-arg]  # list[str] is too new for some interpreters
    """The options of the interpreter, and the words of its program; none of these means stdin."""
    number = 0
    while number < len(arguments):
        argument = arguments[number]
        if argument == "--":
            return arguments[:number], arguments[number + 1 :]
        if argument == "-" or not argument.startswith("-"):
            return arguments[:number], arguments[number:]
        number += 1
        if argument.startswith("--"):
            number += argument == "--check-hash-based-pycs"
            continue
        for place, letter in enumerate(argument[1:], 1):
            if letter in "cm":
                before = arguments[: number - 1] + ([argument[:place]] if place > 1 else [])
                text = [argument[place + 1 :]] if argument[place + 1 :] else []
                return before, ["-" + letter, *text, *arguments[number:]]
            if letter in "WX":
                number += place == len(argument) - 1
                break
    return arguments, []


def _is_tool(words: list) -> bool:  # type: ignore[type-arg]  # as above
    """Whether the program installs or builds, or is a process of ours or of multiprocessing that runs nobody's code."""
    first, second = [*words, "", ""][:2]
    if first == "-m":
        return second.partition(".")[0] in _MODULES
    if first == "-c":
        return second.startswith(_CODE) or "pip-setuptools-caller" in second
    name = os.path.basename(first)
    return name in _SCRIPTS or name.rstrip("0123456789.") in _MODULES


def _is_wanted() -> bool:
    """Whether this is the interpreter of the traced process, and nobody has switched tracing off."""
    own = str(sys.implementation.cache_tag) + ":" + sys.prefix
    off = os.environ.get("AUTOTRACE", "").strip().lower() in _OFF
    return os.environ.get("AUTOTRACE_PYTHON") == own and not off and not getattr(sys, "frozen", False)


def _execute(flags: list, words: list) -> None:  # type: ignore[type-arg]  # as above
    """Become `python -m autotrace`, which alone can weave __main__; returns only where that is not possible."""
    if not sys.executable or os.name != "posix":
        return
    os.environ["AUTOTRACE_EXECUTED"] = str(os.getpid())
    try:
        os.execv(sys.executable, [sys.orig_argv[0], *flags, "-m", "autotrace", "run", *words])
    except OSError:
        del os.environ["AUTOTRACE_EXECUTED"]


def _enter() -> str:
    """How this process is traced: "" not, or not by us; "launched" by the command; "place" without its __main__."""
    if not _is_wanted() or not hasattr(sys, "orig_argv"):
        return ""
    flags, words = _read(sys.orig_argv[1:])
    if os.environ.get("AUTOTRACE_EXECUTED") == str(os.getpid()):
        return "launched"
    if _is_tool(words):
        return ""
    if not words or words[0] == "-" or sys.flags.inspect or sys.flags.interactive:
        return "place"
    if words[0] == "-c" and words[1].startswith(_SPAWNED):
        return "place"
    if words[0] in ("-c", "-m") or os.path.exists(words[0]):
        _execute(flags, words)
        return "place"
    return ""


def _find_us() -> None:
    """Import the autotrace of the parent, wherever it is: only its top is looked for on sys.path."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(_FOLDER)))
    sys.path.insert(0, root)
    try:
        import autotrace  # noqa: F401
    finally:
        sys.path.remove(root)


def _start(way: str) -> None:
    try:
        _find_us()
        if way == "place":
            from autotrace.cli.run import start_in_place

            start_in_place()
    except Exception as error:
        sys.stderr.write("autotrace: this process is not traced: " + str(error) + "\n")


sys.path[:] = [_entry for _entry in sys.path if _entry != _FOLDER]
sys.path_importer_cache.pop(_FOLDER, None)
_way = _enter()
del sys.modules["sitecustomize"]
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the user's; where there is none, `site` hears the same error as without us
finally:
    if _way:
        _start(_way)
