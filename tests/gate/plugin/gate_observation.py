"""A pytest plugin: writes what each test did, by its id, as JSON to the file that GATE_OBSERVATIONS names.

It stands alone, for it runs in the environment of the suite: nothing here may import autotrace or the gate.
"""

import json
import os
import re

_VARYING = re.compile(r"0x[0-9a-f]+|\d+")

observed = {}


def _of(test):
    return observed.setdefault(test, {"outcome": [], "printed": "", "warned": []})


def _steady(text):
    return _VARYING.sub("#", text)


def pytest_runtest_logreport(report):
    test = _of(report.nodeid)
    if report.when == "call" or report.outcome != "passed":
        expected = "expected " if hasattr(report, "wasxfail") else ""
        test["outcome"].append(f"{expected}{report.outcome} in {report.when}")
    if report.when == "teardown":
        test["printed"] = _steady(report.capstdout + report.capstderr)


def pytest_collectreport(report):
    if report.outcome != "passed":
        _of(report.nodeid or "the session")["outcome"].append(f"{report.outcome} in collect")


def pytest_warning_recorded(warning_message, when, nodeid, location):
    kind = warning_message.category.__name__
    if kind == "ResourceWarning":
        # Given when the garbage collector comes by, which is in another test each time.
        return
    place = f"{os.path.basename(warning_message.filename)}:{warning_message.lineno}"
    _of(nodeid or "the session")["warned"].append(f"{place}: {kind}: {_steady(str(warning_message.message))}")


def pytest_sessionfinish():
    with open(os.environ["GATE_OBSERVATIONS"], "w", encoding="utf-8") as file:
        json.dump(observed, file, indent=1)
