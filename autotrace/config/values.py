"""The kinds of value that a config key can have, each checked with a sentence of its own; pydantic types go out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from autotrace.config.units import DURATION_PATTERN, QUANTILE_PATTERN, SIZE_PATTERN, duration_ns, quantile, size_bytes

MISTAKE = "autotrace_mistake"
"""The pydantic error type whose context holds the two halves of a `Mistake`: `found` and `remedy`.

`for_all` is the remedy where a variable holds the value, which is not shown.
"""

_PART = r"[\w*?!\[\]-]+"
_MODULE = re.compile(rf"{_PART}(\.{_PART})*")
_PLACE = re.compile(rf"{_PART}(\.{_PART})*:{_PART}(\.{_PART})*")

KEY_MISTAKE = "autotrace_key_mistake"
"""The same where the key is wrong, or missing, rather than its value."""


def mistake(found: str, remedy: str, for_all: str = "") -> PydanticCustomError:
    """An error for a validator to raise, in the words that the user will read; `for_all`: a remedy without the value."""
    halves = {"found": found, "remedy": remedy, "for_all": for_all or remedy}
    return PydanticCustomError(MISTAKE, "{found}; {remedy}", halves)


def key_mistake(found: str, remedy: str) -> PydanticCustomError:
    """An error for the validator of a key that should not stand, or stand, where it does; `found` names the key."""
    return PydanticCustomError(KEY_MISTAKE, "{found}; {remedy}", {"found": found, "remedy": remedy})


def shown(value: object) -> str:
    """A value as a message quotes it: as TOML writes it, cut to 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "an array"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _with_unit(measure: Callable[[str], int], remedy: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        try:
            measure(value if isinstance(value, str) else "")
        except ValueError:
            raise mistake(f"{shown(value)} has no unit that is known here", remedy) from None
        return value

    return check


def _check_module_or_place(text: str) -> str:
    if not (_MODULE.fullmatch(text) or _PLACE.fullmatch(text)):
        raise mistake(f"{shown(text)} names no place", 'write "package.module" or "package.module:Class"')
    return text


def _check_place(text: str) -> str:
    if not _PLACE.fullmatch(text):
        raise mistake(f"{shown(text)} names no function", 'write "package.module:Class.method"')
    return text


def _check_method(text: str) -> str:
    name = text.removeprefix("!")
    if "!" in name.replace("[!", "") or not _MODULE.fullmatch(name):
        raise mistake(f"{shown(text)} is no pattern of names", 'write a name or a glob such as "create_*" or "!_*"')
    return text


def _check_not_empty(text: str) -> str:
    if not text.strip():
        raise mistake("the text is empty", "write something, or remove the key")
    return text


def _check_probability(number: float) -> float:
    if not 0 <= number <= 1:
        raise mistake(f"{number:g} is no probability", "write a number from 0 to 1")
    return number


def _check_threshold(value: Any) -> Any:
    if isinstance(value, str) and quantile(value) is not None:
        return value
    try:
        nothing = duration_ns(value if isinstance(value, str) else "") == 0
    except ValueError:
        raise mistake(
            f"{shown(value)} is neither a duration nor a percentile",
            'write a duration with a unit, such as "500ms", or "p99" for the slowest hundredth of each endpoint',
        ) from None
    if nothing:
        raise mistake(
            f"{shown(value)} is less than a nanosecond", "write a duration above zero; `rate = 1` keeps every trace"
        )
    return value


def _check_traced_endpoint(text: str) -> str:
    method, _, rest = _check_not_empty(text).partition(" ")
    if rest.startswith("/") and method != "*" and ("*" in method or "?" in method):
        raise mistake(f"{shown(text)} has a glob for a method", 'write the method, or "*" for any')
    return text


def _check_amount(number: float) -> float:
    if not 0 <= number < float("inf"):
        raise mistake(f"{number:g} is no number of traces", "write 0 or more")
    return number


def _check_class_name(text: str) -> str:
    if not text.isidentifier():
        name, general = text.rpartition(".")[2], 'write the whole of it, such as "KeyError"'
        remedy = f"write {shown(name)}" if name.isidentifier() else general
        raise mistake(f"{shown(text)} is no bare name of a class", remedy, general)
    return text


def _check_poll(text: str) -> str:
    if duration_ns(text) < 1_000_000_000:
        raise mistake(f"{shown(text)} is less than a second", 'write a duration such as "60s"')
    return text


def _check_scalar(value: Any) -> Any:
    if not isinstance(value, str | bool | int | float):
        raise mistake(f"{shown(value)} is no value of a tag", 'write text, a number, true or false, such as "gold"')
    return value


_URL_REMEDY = 'write a URL such as "http://jaeger:14268/api/traces"'
_SAMPLING_URL_REMEDY = 'write a URL such as "http://localhost:5778/sampling"'


def _check_url(text: str, remedy: str = _URL_REMEDY) -> str:
    # What stands before an @ is a secret, and a message is read by many.
    found = "the URL" if "@" in text else shown(text)
    url = _url(text)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        raise mistake(f"{found} is no http or https URL", remedy)
    return text


def _check_sampling_url(text: str) -> str:
    return _check_url(text, _SAMPLING_URL_REMEDY)


def check_path(text: str) -> None:
    """Raise a mistake where a URL names only a host."""
    if urlsplit(text).path in {"", "/"}:
        raise mistake(f"{'the URL' if '@' in text else shown(text)} has no path", _URL_REMEDY)


def _url(text: str) -> SplitResult | None:
    """The parts of a URL that could stand in a request as it is written; else None."""
    if not re.fullmatch(r"[!-~]+", text) or "#" in text:
        return None
    try:
        url = urlsplit(text)
        return url if url.port != 0 else None
    except ValueError:
        return None


Duration = Annotated[
    str,
    BeforeValidator(_with_unit(duration_ns, 'write a duration with a unit, such as "500ms", "2s" or "1min"')),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["500ms", "2s"]}),
]
Poll = Annotated[Duration, AfterValidator(_check_poll)]
Size = Annotated[
    str,
    BeforeValidator(_with_unit(size_bytes, 'write a size with a unit, such as "64MB"')),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN, "examples": ["64MB"]}),
]
Probability = Annotated[
    float, AfterValidator(_check_probability), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
PerSecond = Annotated[float, AfterValidator(_check_amount), WithJsonSchema({"type": "number", "minimum": 0})]
Threshold = Annotated[
    str,
    BeforeValidator(_check_threshold),
    WithJsonSchema(
        {"type": "string", "pattern": f"{DURATION_PATTERN}|{QUANTILE_PATTERN}", "examples": ["500ms", "p99"]}
    ),
]
Scalar = Annotated[
    Any, BeforeValidator(_check_scalar), WithJsonSchema({"type": ["string", "number", "boolean"], "examples": ["gold"]})
]
ClassName = Annotated[
    str,
    AfterValidator(_check_class_name),
    WithJsonSchema({"type": "string", "pattern": r"^[^\s.*?\[\]:-]+$", "examples": ["KeyError"]}),
]
_URL_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^https?://[^ #/]+(/[^ #]*)?$"})
EndpointUrl = Annotated[str, AfterValidator(_check_url), _URL_SCHEMA]
SamplingUrl = Annotated[str, AfterValidator(_check_sampling_url), _URL_SCHEMA]
TracedEndpoint = Annotated[str, AfterValidator(_check_traced_endpoint)]
Text = Annotated[str, AfterValidator(_check_not_empty)]
ModuleOrPlace = Annotated[str, AfterValidator(_check_module_or_place)]
FunctionPlace = Annotated[str, AfterValidator(_check_place)]
MethodPattern = Annotated[str, AfterValidator(_check_method)]
# TOML gives lists; frozen models hold tuples, and the strictness of their elements stays.
Array = Strict(False)
