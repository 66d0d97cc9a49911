"""The position scanner against tomli: the same keys, the same structure of values."""

from __future__ import annotations

import datetime
import string

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from autotrace.config.positions import scan

WORDS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=4)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
COMMENTS = st.sampled_from(["", " # a [comment] = 'x'", "  "])
BREAKS = st.sampled_from([" ", "\n", " # ]}\n  ", "\t"])


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def key_forms(name: str) -> st.SearchStrategy[str]:
    forms = [quote(name), '"' + "".join(f"\\u{ord(c):04x}" for c in name) + '"', f"'{name}'", name]
    return st.sampled_from(forms)


KEYS = WORDS.flatmap(key_forms)
DOTTED = st.lists(KEYS, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([".", " . ", "\t."]).map(lambda dot: dot.join(parts))
)
SCALARS = st.one_of(
    st.integers(-9, 10**6).map(str),
    st.sampled_from(["0xff", "1_000", "+1.5e-3", "inf", "-nan", "true", "false", "1979-05-27", "07:32:00.5"]),
    st.sampled_from(["1979-05-27 07:32:00", "1979-05-27T07:32:00Z", "1979-05-27 00:32:00.9-07:00"]),
    TEXTS.map(quote),
    TEXTS.map(lambda text: "'" + text.replace("'", "") + "'"),
    TEXTS.map(lambda text: '"""\n' + text.replace("\\", "\\\\").replace('"', "") + '\n""two" \\\n   x"""""'),
    TEXTS.map(lambda text: "'''" + text.replace("'", "") + "\n''two' # [x]'''''"),
)


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.lists(values, max_size=3), BREAKS, st.sampled_from(["", ","])).map(
        lambda parts: f"[{parts[1]}" + f"{parts[1]},{parts[1]}".join(parts[0]) + (parts[2] if parts[0] else "") + "\n]"
    )


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(DOTTED, values).map(lambda pair: f"{pair[0]} = {pair[1]}"), max_size=3)
    return pairs.map(lambda parts: "{ " + ", ".join(parts) + " }")


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), inline_tables(inner)), max_leaves=6)
PAIRS = st.tuples(DOTTED, VALUES, COMMENTS).map(lambda parts: f"{parts[0]}  = {parts[1]}{parts[2]}")
HEADERS = st.tuples(DOTTED, COMMENTS).flatmap(
    lambda parts: st.sampled_from([f"[{parts[0]}]{parts[1]}", f"[[ {parts[0]} ]]{parts[1]}"])
)
DOCUMENTS = st.lists(st.one_of(PAIRS, PAIRS, HEADERS, COMMENTS), max_size=12)


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return {path}
    below = (paths_of(inner, (*path, key)) for key, inner in pairs)
    return {path}.union(*below) if path else set().union(*below)


def keep_valid(lines: list[str]) -> tuple[str, dict[str, object]]:
    """The longest text that tomli takes, line after line: most random texts set some key twice."""
    text, data = "", {}
    for line in lines:
        try:
            data = tomli.loads(f"{text}{line}\n")
        except tomli.TOMLDecodeError:
            continue
        text += f"{line}\n"
    return text, data


def value_at(data: object, path: tuple[str | int, ...]) -> object:
    for part in path:
        data = data[part]  # type: ignore[index]
    return data


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.sampled_from(["\n", "\r\n"]))
def test_the_scanner_finds_the_keys_that_tomli_finds(lines: list[str], newline: str) -> None:
    text, data = keep_valid(lines)
    positions = scan(text.replace("\n", newline))
    assert set(positions.values) == paths_of(data)
    assert set(positions.keys) == set(positions.values)
    assert positions.duplicates == ()


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_the_text_at_a_value_reads_as_that_value(lines: list[str]) -> None:
    text, data = keep_valid(lines)
    rows = text.split("\n")
    for path, (line, column) in scan(text).values.items():
        value = value_at(data, path)
        rest = "\n".join([rows[line - 1][column - 1 :], *rows[line:]])
        if isinstance(value, (bool, int, str, datetime.date, datetime.time)):
            assert repr(first_value(rest)) == repr(value)
        elif isinstance(value, list):
            assert rest.startswith("[")


def first_value(text: str) -> object:
    """The value that a text begins with: the shortest beginning that tomli reads and that cannot go on."""
    for end in range(1, len(text) + 1):
        if text[end : end + 1] in {"", " ", "\n", ",", "]", "}", "#", "\t"}:
            try:
                value = tomli.loads(f"k = {text[:end]}")["k"]
            except tomli.TOMLDecodeError:
                continue
            if isinstance(value, datetime.date) and text[end : end + 3].strip().isdigit():
                continue
            return value
    raise AssertionError(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab=.[]{}\"'#,\n \\1"), max_size=40))
def test_any_text_is_scanned_without_a_crash(text: str) -> None:
    scan(text)


def test_places_count_from_one() -> None:
    positions = scan('a = 1\n[[b]]\n"c d".e = [ "x",\n  {f = 2}]\n')
    assert positions.keys[("a",)] == (1, 1)
    assert positions.values[("a",)] == (1, 5)
    assert positions.keys[("b", 0)] == (2, 1)
    assert positions.keys[("b", 0, "c d", "e")] == (3, 7)
    assert positions.values[("b", 0, "c d", "e", 1, "f")] == (4, 8)


def test_a_key_given_twice_is_noted_with_both_places() -> None:
    (duplicate,) = scan("[a]\nb = 1\nb = 2\n").duplicates
    assert duplicate == (("a", "b"), (2, 1), (3, 1))
