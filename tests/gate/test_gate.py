"""Other people's suites come out under our tracing as they do without it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import tomli

from autotrace.hook.compile import compile_woven
from autotrace.hook.weave import functions
from autotrace.hook.woven import Choice
from autotrace.plan.pattern import compile_pattern
from gate.comparison import compare, read_deviations
from gate.environment import HERE, Environment, make_environment
from gate.suite import CONFIG, SUITES, Mode, Run, run_suite

DEVIATIONS = HERE / "deviations.toml"

# A bound against a tracer that makes a suite unusable, not a measurement: tests whose every call is traced have been
# seen at 1.0 to 1.3 times, and a busy machine doubles either run.
TIMES_SLOWER = 4


@pytest.fixture(scope="module")
def environment() -> Environment:
    return make_environment()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def untraced(environment: Environment, suite: str, folder: Path) -> Run:
    return run_suite(environment, suite, Mode(), folder / f"{suite}-untraced")


def assert_equal(untraced: Run, traced: Run, suite: str) -> None:
    differences = compare(untraced.observations, traced.observations, read_deviations(DEVIATIONS, suite))
    assert not differences, f"{len(differences)} tests of {suite} differ under tracing:\n\n" + "\n\n".join(differences)
    assert traced.exit_code == untraced.exit_code, traced.output[-4000:]
    assert traced.seconds <= TIMES_SLOWER * untraced.seconds


def test_a_suite_comes_out_traced_as_it_does_untraced(
    environment: Environment, suite: str, untraced: Run, folder: Path
) -> None:
    traced = run_suite(environment, suite, Mode(CONFIG), folder / f"{suite}-traced")
    assert len(untraced.observations) > 900
    assert_equal(untraced, traced, suite)
    assert traced.spans > 1000


def test_a_suite_comes_out_the_same_when_spans_have_nowhere_to_go(
    environment: Environment, suite: str, untraced: Run, folder: Path
) -> None:
    obstacle = folder / f"{suite}-obstacle"
    obstacle.write_text("a file where a folder should be", encoding="utf-8")
    mode = Mode(CONFIG, {"AUTOTRACE_STORE": str(obstacle / "traces.db"), "AUTOTRACE_FAILURES": "raise"})
    traced = run_suite(environment, suite, mode, folder / f"{suite}-nowhere")
    assert_equal(untraced, traced, suite)
    assert traced.spans == 0
    assert traced.output.count("cannot make the store's directory") == 1


def test_every_function_of_a_library_is_named_by_the_config_and_woven(environment: Environment, suite: str) -> None:
    (methods,) = {tuple(service["methods"]) for service in tomli.loads(CONFIG.read_text())["services"]}

    def choose(qualname: str, parameters: tuple[str, ...]) -> Choice | None:
        return Choice(0) if any(compile_pattern(method).matches(qualname) for method in methods) else None

    for file in (environment.sources(suite) / "src").rglob("*.py"):
        source = file.read_bytes()
        compiled = compile_woven(source, str(file), choose)
        assert compiled.failed == ()
        assert [woven.qualname for woven in compiled.woven] == [name for _, name in functions(ast.parse(source))]
