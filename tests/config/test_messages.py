"""Each kind of broken file and its message, in full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autotrace.config.load import load_file, load_mapping, runs_untraced
from autotrace.errors import ConfigError
from autotrace.plan.path import parse

BROKEN = {
    "a typo in a key": (
        'service_name = "a"\nservce_name = "shop"\n',
        ['tracing.toml:2:1: unknown key "servce_name"; did you mean "service_name"?'],
    ),
    "a typo in a deeper key": (
        "[sampler.keep]\n  eror = true\n",
        ['tracing.toml:2:3: unknown key "eror" in [sampler.keep]; did you mean "errors"?'],
    ),
    "a typo in a section": (
        "[samplr]\nrate = 1\n",
        ["tracing.toml:1:2: unknown section [samplr]; did you mean [sampler]?"],
    ),
    "a typo in an array of tables": (
        '[[servces]]\nat = "a"\n',
        ["tracing.toml:1:3: unknown section [[servces]]; did you mean [[services]]?"],
    ),
    "a typo in a section of a section": (
        "[sampler.kep]\nerrors = true\n",
        ["tracing.toml:1:10: unknown section [sampler.kep]; did you mean [sampler.keep]?"],
    ),
    "a key in the wrong section": (
        "[store]\nspans_per_trace = 4\n",
        ['tracing.toml:2:1: unknown key "spans_per_trace" in [store]; spans_per_trace belongs in [buffer]'],
    ),
    "a section where a list of sections belongs": (
        '[services]\nat = "a"\n',
        ["tracing.toml:1:1: services is a table; write [[services]]"],
    ),
    "a number for a text": (
        "service_name = 5\n",
        ['tracing.toml:1:16: service_name is the number 5; write text in quotes: service_name = "5"'],
    ),
    "a text for a boolean": (
        '[propagation]\nhttp = "yes"\n',
        ['tracing.toml:2:8: http is the text "yes"; write true or false'],
    ),
    "a boolean for a number": (
        "[sampler]\nrate = true\n",
        ["tracing.toml:2:8: rate is the boolean true; write a number"],
    ),
    "a percentage": (
        "[sampler]\nrate = 10\n",
        ["tracing.toml:2:8: rate: 10 is no probability; write a number from 0 to 1"],
    ),
    "a duration without a unit": (
        "[shutdown]\ntimeout = 2\n",
        [
            "tracing.toml:2:11: timeout: 2 has no unit that is known here; "
            'write a duration with a unit, such as "500ms", "2s" or "1min"'
        ],
    ),
    "a missing key": (
        '[[targets]]\nas = "http.client"\n',
        ["tracing.toml:1:1: [[targets]] has no key at; add at"],
    ),
    "a duplicate key": (
        "[sampler]\nrate = 1\nrate = 0.5\n",
        ["tracing.toml:3:1: sampler.rate is given twice; keep one; the first is in line 2"],
    ),
    "a duplicate section": (
        "[sampler]\nrate = 1\n[sampler]\n",
        ["tracing.toml:3:1: sampler is given twice; keep one; the first is in line 1"],
    ),
    "bad TOML": (
        "[sampler]\nrate = lots\n",
        ["tracing.toml:2:8: not TOML: invalid value; write text in quotes, a number, true, false, an array or a table"],
    ),
    "an unclosed header": (
        "[sampler\nrate = 1\n",
        ["tracing.toml:1:9: not TOML: expected ']' at the end of a table declaration; close it with ]"],
    ),
    "an unknown sampler": (
        '[sampler]\ntype = "probablistic"\nrate = 1\n',
        ['tracing.toml:2:8: unknown sampler type "probablistic"; did you mean "probabilistic"?'],
    ),
    "a sampler's key with a type that has no use for it": (
        '[sampler]\ntype = "adaptive"\nper_second = 5\n',
        ['tracing.toml:3:1: per_second has no meaning with type "adaptive"; remove it or write type = "rate_limiting"'],
    ),
    "several keys with a type that has no use for them": (
        '[sampler]\nrate = 7\nmin_rate = 0.1\nserver = "x"\ntype = "rate_limiting"\n',
        [
            'tracing.toml:1:1: type "rate_limiting" without `per_second`; add `per_second`, a number of traces',
            *(
                f'tracing.toml:{line}:1: {key} has no meaning with type "rate_limiting"; remove it or write type = "{kind}"'
                for line, key, kind in (
                    (2, "rate", "probabilistic"),
                    (3, "min_rate", "adaptive"),
                    (4, "server", "jaeger_remote"),
                )
            ),
        ],
    ),
    "a sampler's key without a type": (
        '[sampler]\nrate = 1\nmin_rate = 0.1\n[[processes]]\nentry = "a"\nsampler.per_second = 1\n',
        [
            'tracing.toml:3:1: min_rate has no meaning with type "probabilistic"; remove it or write type = "adaptive"',
            'tracing.toml:6:9: per_second has no meaning with type "always_on"; '
            'remove it or write type = "rate_limiting"',
        ],
    ),
    "a probability without its number": (
        '[sampler]\ntype = "probabilistic"\nkeep.errors = 1\n',
        [
            'tracing.toml:1:1: type "probabilistic" without `rate`; add `rate`, a number from 0 to 1',
            "tracing.toml:3:15: errors is the number 1; write true or false",
        ],
    ),
    "a rule that leaves no trace, and chooses": (
        '[[sampler.endpoints]]\nendpoint = "/"\nrate = 1\ninbound = "own"\nerrors = true\nrecord = false\n',
        [
            f"tracing.toml:{line}:1: {key} has no effect where `record = false` leaves no trace; remove one of the two"
            for line, key in ((3, "rate"), (4, "inbound"), (5, "errors"))
        ],
    ),
    "a rule that does nothing": (
        '[[sampler.endpoints]]\nendpoint = "/"\n',
        ['tracing.toml:1:1: the rule for "/" does nothing; give it `rate`, `slower_than` or `record = false`'],
    ),
    "a limit without a number": (
        '[sampler]\ntype = "rate_limiting"\n',
        ['tracing.toml:1:1: type "rate_limiting" without `per_second`; add `per_second`, a number of traces'],
    ),
    "a poll without a pause": (
        '[sampler]\ntype = "jaeger_remote"\npoll = "10ms"\n',
        ['tracing.toml:3:8: poll: "10ms" is less than a second; write a duration such as "60s"'],
    ),
    "a threshold that is none": (
        '[sampler.keep]\nslower_than = "p9"\n',
        [
            'tracing.toml:2:15: slower_than: "p9" is neither a duration nor a percentile; write a duration with a unit, '
            'such as "500ms", or "p99" for the slowest hundredth of each endpoint'
        ],
    ),
    "a server that is no URL": (
        '[sampler]\ntype = "jaeger_remote"\nserver = "localhost:5778"\n',
        [
            'tracing.toml:3:10: server: "localhost:5778" is no http or https URL; '
            'write a URL such as "http://localhost:5778/sampling"'
        ],
    ),
    "keys of other sections in a rule": (
        '[[sampler.endpoints]]\nkeep = {errors = false}\npath = "/x"\nbackground_per_second = 1\nendpoint = "/"\n',
        [
            "tracing.toml:2:1: unknown section [sampler.endpoints.keep]; "
            "write `errors` and `slower_than` in the rule itself",
            'tracing.toml:3:1: unknown key "path" in [[sampler.endpoints]]; '
            "known here: endpoint, record, rate, per_second, inbound, slower_than, errors",
            'tracing.toml:4:1: unknown key "background_per_second" in [[sampler.endpoints]]; '
            "background_per_second belongs in [sampler.keep]",
        ],
    ),
    "a key of another section in a sampler of a program": (
        '[[processes]]\nentry = "a"\nsampler.background_per_second = 1\n',
        [
            'tracing.toml:3:9: unknown key "background_per_second" in [processes.sampler]; '
            "background_per_second belongs in [processes.sampler.keep]"
        ],
    ),
    "numbers from the environment": (
        '[sampler]\nrate = "${RATE:-0.1}"\nkeep.errors = "${ERRORS:-true}"\n',
        [
            'tracing.toml:2:8: rate is the text "${RATE:-0.1}"; '
            "write a number: what comes from the environment is always text",
            'tracing.toml:3:15: errors is the text "${ERRORS:-true}"; '
            "write true or false: what comes from the environment is always text",
        ],
    ),
    "a threshold of nothing": (
        '[sampler.keep]\nslower_than = "0ns"\n[[sampler.endpoints]]\nendpoint = "/"\nslower_than = "0.3ns"\n',
        [
            'tracing.toml:2:15: slower_than: "0ns" is less than a nanosecond; '
            "write a duration above zero; `rate = 1` keeps every trace",
            'tracing.toml:5:15: slower_than: "0.3ns" is less than a nanosecond; '
            "write a duration above zero; `rate = 1` keeps every trace",
        ],
    ),
    "a glob in a method": (
        '[[sampler.endpoints]]\nendpoint = "P* /x"\nrate = 1\n[[sampler.endpoints]]\nendpoint = "? /"\nrate = 1\n',
        [
            'tracing.toml:2:12: endpoint: "P* /x" has a glob for a method; write the method, or "*" for any',
            'tracing.toml:5:12: endpoint: "? /" has a glob for a method; write the method, or "*" for any',
        ],
    ),
    "exceptions to ignore that no class is called": (
        '[sampler.keep]\nignore = ["KeyError", "__main__.MyErr", "Key*", "?"]\n',
        [
            'tracing.toml:2:23: an entry of ignore: "__main__.MyErr" is no bare name of a class; write "MyErr"',
            'tracing.toml:2:41: an entry of ignore: "Key*" is no bare name of a class; '
            'write the whole of it, such as "KeyError"',
            'tracing.toml:2:49: an entry of ignore: "?" is no bare name of a class; '
            'write the whole of it, such as "KeyError"',
        ],
    ),
    "a tag that no span can have": (
        "[sampler.keep]\ntags = { tier = [1] }\n",
        ['tracing.toml:2:17: tier: an array is no value of a tag; write text, a number, true or false, such as "gold"'],
    ),
    "an unknown word for a caller": (
        '[[sampler.endpoints]]\nendpoint = "/"\ninbound = "trusted"\n',
        ['tracing.toml:3:11: unknown inbound "trusted"; did you mean "trust"?'],
    ),
    "a negative number of traces": (
        "[sampler.keep]\nper_second = -1\n",
        ["tracing.toml:2:14: per_second: -1 is no number of traces; write 0 or more"],
    ),
    "an unknown exporter": (
        '[[exporters]]\ntype = "sqlit"\n',
        ['tracing.toml:2:8: unknown exporter type "sqlit"; did you mean "sqlite"?'],
    ),
    "an exporter of a later release": (
        '[[exporters]]\ntype = "zipkin"\nendpoint = "http://zipkin:9411/api/v2/spans"\n',
        ['tracing.toml:2:8: exporter type "zipkin" is not built yet; write "sqlite", "jaeger" or "otlp"'],
    ),
    "an exporter without its endpoint": (
        '[[exporters]]\ntype = "jaeger"\n',
        [
            'tracing.toml:1:1: type "jaeger" without an endpoint; '
            'add `endpoint`, such as "http://jaeger:14268/api/traces"'
        ],
    ),
    "an endpoint that is no URL": (
        '[[exporters]]\ntype = "jaeger"\nendpoint = "jaeger:14268/api/traces"\n',
        [
            'tracing.toml:3:12: endpoint: "jaeger:14268/api/traces" is no http or https URL; '
            'write a URL such as "http://jaeger:14268/api/traces"'
        ],
    ),
    "an endpoint without its path": (
        '[[exporters]]\ntype = "jaeger"\nendpoint = "http://jaeger:14268"\n',
        [
            'tracing.toml:3:12: endpoint: "http://jaeger:14268" has no path; '
            'write a URL such as "http://jaeger:14268/api/traces"'
        ],
    ),
    "an endpoint that is wrong and holds a password": (
        '[[exporters]]\ntype = "jaeger"\nendpoint = "http://me:hunter2@jaeger:port/"\n',
        [
            "tracing.toml:3:12: endpoint: the URL is no http or https URL; "
            'write a URL such as "http://jaeger:14268/api/traces"'
        ],
    ),
    "a key of another exporter": (
        '[[exporters]]\ntype = "sqlite"\ntimeout = "2s"\n',
        ['tracing.toml:3:1: timeout has no meaning with type "sqlite"; remove it'],
    ),
    "a request that may take no time": (
        '[[exporters]]\ntype = "jaeger"\nendpoint = "http://jaeger/api/traces"\ntimeout = "0s"\n',
        ['tracing.toml:4:11: timeout: no request takes no time; write a duration such as "2s"'],
    ),
    "keys of a later release": (
        'allow_python = true\n[store]\nmax_age = "7d"\n',
        [
            "tracing.toml:1:1: allow_python is not built yet; remove it",
            "tracing.toml:3:1: store.max_age is not built yet; remove it",
        ],
    ),
    "a section of a later release": (
        '[spool]\npath = "a"\n',
        ["tracing.toml:1:2: [spool] is not built yet; remove it"],
    ),
    "a field that its convention does not know": (
        '[[targets]]\nat = "a:f"\nurl = "request.url"\n',
        [
            'tracing.toml:3:1: unknown key "url" in [[targets]]; '
            "known here: at, as, span, tags, how, min_duration, evaluate"
        ],
    ),
    "a misspelt key beside fields": (
        '[[targets]]\nat = "a:f"\nas = "http.client"\ntag = "x"\n',
        ['tracing.toml:4:1: unknown key "tag" in [[targets]]; did you mean "tags"?'],
    ),
    "a path that calls": (
        '[[services]]\nat = "a:B"\ntags = { n = "order.total()" }\n',
        [
            'tracing.toml:3:26: "order.total()" is no path: a call is not for paths; '
            "write a parameter, self, result or error with .attribute, ['key'] or [0], or a constant in quotes"
        ],
    ),
    "a variable that is not set": (
        'service_name = "${SHOP_NAME}"\n',
        ["tracing.toml:1:16: the variable SHOP_NAME is not set; set it, or write ${SHOP_NAME:-default}"],
    ),
    "a rate that its sampler would not read": (
        '[sampler]\ntype = "always_on"\nrate = 0.5\n',
        ['tracing.toml:3:1: rate has no meaning with type "always_on"; remove it or write type = "probabilistic"'],
    ),
    "a byte order mark": (
        b"\xef\xbb\xbfa = 1\n",
        ["tracing.toml:1:1: the file starts with a byte order mark; save it as UTF-8 without BOM"],
    ),
    "Latin-1": (
        b'service_name = "ok"\n# caf\xe9\n',
        ["tracing.toml:2:6: the byte 0xe9 is not UTF-8; save the file as UTF-8"],
    ),
    "UTF-16": ("a = 1\n".encode("utf-16"), ["tracing.toml:1:1: the file is UTF-16; save it as UTF-8"]),
}


def messages_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_file(path, environ={}, check_path=parse)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named_with_place_and_remedy(kind: str, folder: Path) -> None:
    content, expected = BROKEN[kind]
    (folder / "tracing.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert messages_of(folder / "tracing.toml") == expected


@pytest.mark.parametrize("text", ["* /x", "/x*", "process /queue/pay*", "cron /daily", "P*", "process pay* /x", "* x"])
def test_globs_are_for_any_method_for_paths_and_for_names(text: str) -> None:
    rule = {"endpoint": text, "rate": 1}
    assert load_mapping({"sampler": {"endpoints": [rule]}}).model.sampler.endpoints[0].endpoint == text


def test_every_mistake_is_reported_at_once_in_the_order_of_the_file(folder: Path) -> None:
    (folder / "tracing.toml").write_text('nme = 1\n[sampler]\ntype = "x"\nrate = 7\n[buffer]\nmemory = "9 apples"\n')
    assert [message.split(": ")[0] for message in messages_of(folder / "tracing.toml")] == [
        *("tracing.toml:1:1", "tracing.toml:3:8", "tracing.toml:4:8", "tracing.toml:6:10")
    ]


def test_a_missing_file_says_so(folder: Path) -> None:
    expected = "none.toml: there is no such file; name one that exists, or write one with `autotrace init`"
    assert messages_of(folder / "none.toml") == [expected]


def test_a_folder_says_so(folder: Path) -> None:
    (folder / "conf").mkdir()
    assert messages_of(folder / "conf") == ["conf: this is a folder; name a file, such as conf/tracing.toml"]


def test_an_unreadable_file_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:  # the mode of a file does not stop root
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert messages_of(folder / "tracing.toml") == [
        "tracing.toml: the file cannot be read (Permission denied); make it readable"
    ]


def test_an_empty_file_means_the_defaults(folder: Path) -> None:
    (folder / "tracing.toml").touch()
    assert load_file(folder / "tracing.toml").model.how == "auto"


def test_windows_line_ends_keep_the_places(folder: Path) -> None:
    (folder / "tracing.toml").write_bytes(b'\r\n[sampler]\r\nrate = "x"\r\n')
    assert messages_of(folder / "tracing.toml") == ['tracing.toml:3:8: rate is the text "x"; write a number']


def test_pyproject_is_read_with_its_own_places(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.autotrace]\nhow = "waeve"\n')
    assert messages_of(folder / "pyproject.toml") == ['pyproject.toml:4:7: unknown how "waeve"; did you mean "weave"?']


def test_a_file_elsewhere_goes_by_its_full_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "below").mkdir()
    (folder / "tracing.toml").write_text("x = 1\n")
    monkeypatch.chdir(folder / "below")
    assert messages_of(folder / "tracing.toml")[0].startswith(f"{folder}/tracing.toml:1:1: ")


def test_a_mapping_names_its_tables_instead_of_places() -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping({"sampler": {"endpoints": [{"endpoint": "GET /", "rate": 10}]}})
    expected = "install(): sampler.endpoints[0]: rate: 10 is no probability; write a number from 0 to 1"
    assert str(caught.value) == expected


def test_an_expanded_secret_is_never_shown(folder: Path) -> None:
    keep = '[sampler.keep]\nignore = ["a.${SECRET}"]\n'
    (folder / "tracing.toml").write_text(f'{keep}[shutdown]\ntimeout = "${{SECRET}}"\n[store]\npath = "${{SECRET}}"\n')
    with pytest.raises(ConfigError) as caught:
        load_file(folder / "tracing.toml", environ={"SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("rest", ["", "x = \n", "on_config_eror = 1\n", "[sampler\n"])
def test_a_broken_file_can_ask_to_run_untraced(rest: str, folder: Path) -> None:
    (folder / "tracing.toml").write_text(f'on_config_error = "run_untraced"\n{rest}')
    assert runs_untraced(folder / "tracing.toml")


@pytest.mark.parametrize("text", ["", '# on_config_error = "run_untraced"\n', 'on_config_error = "stop"\n'])
def test_else_a_broken_file_stops_the_program(text: str, folder: Path) -> None:
    (folder / "tracing.toml").write_text(text)
    assert not runs_untraced(folder / "tracing.toml")
    assert not runs_untraced(folder / "none.toml")


def test_an_expanded_secret_is_not_shown_in_a_path(folder: Path) -> None:
    (folder / "tracing.toml").write_text('[[services]]\nat = "a:f"\ntags = { t = "${SECRET}" }\n')
    with pytest.raises(ConfigError) as caught:
        load_file(folder / "tracing.toml", environ={"SECRET": "hun ter2"}, check_path=parse)
    assert str(caught.value).startswith('tracing.toml:3:14: "${SECRET}" is no path: ')


def test_plugins_of_pydantic_are_left_to_the_application() -> None:
    program = (
        "import os; from autotrace.config.load import load_mapping; load_mapping({}); from pydantic.plugin import _loader\n"
        "print(_loader._plugins, 'PYDANTIC_DISABLE_PLUGINS' in os.environ)"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert outcome.stdout == "None False\n"
