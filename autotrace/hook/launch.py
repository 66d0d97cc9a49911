"""Running a program: takes a Program and a compiler for its entry, ends as `python` would have ended."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from autotrace.hook.program import Program, cannot_open
from autotrace.hook.search_path import enter_path
from autotrace.hook.traceback_trim import show_without_us

CompileMain = Callable[[bytes | str, str], CodeType]

_UNCOMPILABLE = (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError)


def compile_plain(source: bytes | str, filename: str) -> CodeType:
    """What `python` itself compiles; raises what `compile` raises."""
    return compile(source, filename, "exec", dont_inherit=True)


def launch(program: Program, compile_main: CompileMain = compile_plain) -> None:
    """Run `program` as __main__; returns, or raises whatever the program ended with, for the interpreter to handle."""
    main = _fresh_main()
    sys.argv[:] = program.argv
    enter_path(program)
    try:
        _RUN[program.kind](program, compile_main, main)
    except SystemExit:
        raise
    except BaseException as error:
        show_without_us(error, main if program.kind in ("script", "stdin") else {})
        raise


def _fresh_main() -> dict[str, Any]:
    """The namespace of a new __main__, with what the interpreter puts into it, in its order."""
    import _frozen_importlib

    module = ModuleType("__main__")
    main = module.__dict__
    main["__loader__"] = _frozen_importlib.BuiltinImporter
    if sys.version_info < (3, 14):
        main["__annotations__"] = {}
    main["__builtins__"] = builtins
    sys.modules["__main__"] = module
    return main


def _run_script(program: Program, compile_main: CompileMain, main: dict[str, Any]) -> None:
    import _frozen_importlib_external as files

    path = program.text
    content = _read(path)
    is_bytecode = path.endswith(".pyc") or content.startswith(files.MAGIC_NUMBER)
    loader = files.SourcelessFileLoader if is_bytecode else files.SourceFileLoader
    main["__file__"] = path
    main["__cached__"] = None
    main["__loader__"] = loader("__main__", path)
    code = main["__loader__"].get_code("__main__") if is_bytecode else _compile(content, path, compile_main)
    exec(code, main)
    # As the interpreter does: an atexit function no longer finds them.
    main.pop("__file__", None)
    main.pop("__cached__", None)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        sys.stderr.write(f"autotrace: {cannot_open(path, error)}\n")
        raise SystemExit(2) from None


def _run_stdin(_: Program, compile_main: CompileMain, main: dict[str, Any]) -> None:
    content = sys.stdin.buffer.read() if sys.stdin else b""
    main["__file__"] = "<stdin>"
    main["__cached__"] = None
    exec(_compile(content, "<stdin>", compile_main), main)
    main.pop("__file__", None)
    main.pop("__cached__", None)


def _run_code(program: Program, compile_main: CompileMain, main: dict[str, Any]) -> None:
    text = program.text
    if sys.version_info >= (3, 14):
        import textwrap

        text = textwrap.dedent(text)
    if sys.version_info >= (3, 13):
        _show_lines(text)
    exec(_compile(text, "<string>", compile_main), main)


def _show_lines(text: str) -> None:
    """Since 3.13 the interpreter gives linecache the text of -c, and tracebacks show its lines."""
    import linecache

    lines = [line + "\n" for line in text.splitlines()]
    linecache.cache["<string>"] = (len(text), None, lines, "<string>")


def _run_module(program: Program, compile_main: CompileMain, _: dict[str, Any]) -> None:
    """By the interpreter's own runpy, whose frames and messages `python -m` shows too."""
    import runpy

    is_module = program.kind == "module"
    if compile_main is not compile_plain:
        _recompile_found(runpy, compile_main)
    runpy._run_module_as_main(program.text if is_module else "__main__", is_module)  # type: ignore[attr-defined] # private, and what the interpreter calls


def call_recompiling(prepare: Callable[[], Any], compile_main: CompileMain) -> Any:
    """Call `prepare`, in which runpy runs a main module, whose code is then that of `compile_main`."""
    import runpy

    any_runpy: Any = runpy
    search, read = any_runpy._get_module_details, any_runpy._get_code_from_file

    def read_once(*arguments: Any) -> Any:
        any_runpy._get_code_from_file = read
        found = read(*arguments)
        code = found[0] if isinstance(found, tuple) else found
        code = _recompile_file(os.fsdecode(arguments[-1]), code, compile_main)
        return (code, *found[1:]) if isinstance(found, tuple) else code

    any_runpy._get_code_from_file = read_once
    _recompile_found(runpy, compile_main)
    try:
        return prepare()
    finally:
        any_runpy._get_module_details, any_runpy._get_code_from_file = search, read


def _recompile_file(path: str, code: CodeType, compile_main: CompileMain) -> CodeType:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return compile_main(file.read(), code.co_filename)
    except (OSError, *_UNCOMPILABLE):
        return code


def _recompile_found(runpy: Any, compile_main: CompileMain) -> None:
    """Let runpy's next search, ours, give the code of `compile_main` in place of the loader's."""
    from autotrace.hook.finder import unwrapped  # loaded already where something is traced

    search = runpy._get_module_details

    def search_once(*arguments: Any) -> tuple[str, Any, CodeType]:
        runpy._get_module_details = search
        name, spec, code = search(*arguments)
        spec.loader = unwrapped(spec.loader)
        return name, spec, _recompile(name, spec.loader, code, compile_main)

    runpy._get_module_details = search_once


def _recompile(name: str, loader: Any, code: CodeType, compile_main: CompileMain) -> CodeType:
    get_source = getattr(loader, "get_source", None)
    source = get_source(name) if get_source else None
    if source is None:
        return code
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loader's own compilation gave them, or it came from the cache
        try:
            return compile_main(source, code.co_filename)
        except _UNCOMPILABLE:
            return code


def _compile(source: bytes | str, filename: str, compile_main: CompileMain) -> CodeType:
    try:
        return compile_main(source, filename)
    except _UNCOMPILABLE:
        pass
    return compile_plain(source, filename)  # outside the except: the program's own error has no context of ours


_RUN: dict[str, Callable[[Program, CompileMain, dict[str, Any]], None]] = {
    "script": _run_script,
    "module": _run_module,
    "code": _run_code,
    "stdin": _run_stdin,
    "directory": _run_module,
    "zip": _run_module,
}
