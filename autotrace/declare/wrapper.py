"""A declared function that cannot be given other code: takes it and its site, gives the wrapper in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autotrace.conventions import Wrapper
from autotrace.conventions.environment import Environment, Place
from autotrace.conventions.function import surround_function
from autotrace.hook.wrapper import TracedFunction
from autotrace.plan.target import Origin, Target
from autotrace.span.site import Site


def wrapper_of(function: Callable[..., Any], site: Site, environment: Environment) -> Wrapper:
    """What wraps `function`, as wrapt calls it."""
    module, qualname = str(function.__module__), str(function.__qualname__)
    place = Place(Target(module, qualname, Origin("@traced")), module, qualname, function, environment)
    return surround_function(place, site)


def wrapped(original: Any, wrapper: Wrapper) -> Any:
    """A function, static method or class method, traced: another object, which pickles, copies and binds as it does."""
    return original if isinstance(original, property) else TracedFunction(original, wrapper)
