"""The command line: takes its arguments, installs what is missing, measures, writes the results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import adaptive, environments, isolation, results
from benchmarks.sample import Sample
from benchmarks.section import Section, every_section
from benchmarks.session import Session
from benchmarks.worker_process import WorkerError

_ROUNDS = 9
_QUICK_ROUNDS = 2
_TEACHING = """\
examples:
  python -m benchmarks                      install what is missing, measure all, write the results (15 minutes)
  python -m benchmarks install ddtrace      make the environment of one peer anew
  python -m benchmarks run --only A,E       two sections; what the others gave before stays in the results
  python -m benchmarks adaptive             load and workers change under adaptive sampling (4 minutes; ADAPTIVE.md)
  python -m benchmarks run --quick          two short rounds, to see that everything works; writes to .benchmarks/

Results go to benchmarks/RESULTS.md, results.json and chart.svg. Ratios are formed within a round, so a machine that
changes its speed changes them little; leave it alone meanwhile nevertheless.
"""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit code."""
    asked = _parser().parse_args(arguments)
    if asked.command == "adaptive":
        return adaptive.main()
    peers = getattr(asked, "peer", None) or list(environments.PEERS)
    unknown = [peer for peer in peers if peer not in environments.PEERS]
    if unknown:
        print(f"no peer is called {', '.join(unknown)}; there are {', '.join(environments.PEERS)}", file=sys.stderr)
        return 2
    if asked.command == "install":
        return _install(peers)
    absent = environments.missing(peers)
    if absent and asked.command == "run":
        print(f"not installed: {', '.join(absent)}; `python -m benchmarks install` makes them", file=sys.stderr)
        return 2
    return _install(absent) or _run(asked, peers, isolation.enter(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="What tracing costs with autotrace and with its peers, as ratios to OpenTelemetry = 1.0.",
        epilog=_TEACHING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(only="", rounds=0, quick=False)
    commands = parser.add_subparsers(dest="command", metavar="install | run | adaptive")
    install = commands.add_parser("install", help="make one virtual environment per peer under .benchmarks/")
    install.add_argument("peer", nargs="*", help=f"of {', '.join(environments.PEERS)}; default: all")
    run = commands.add_parser("run", help="measure, with what is installed, and write the results")
    run.add_argument("--only", default="", metavar="A,D", help="the sections to measure; default: all")
    run.add_argument(
        "--peer", action="append", metavar="NAME", help="measure this peer (may be repeated); default: all"
    )
    run.add_argument("--rounds", type=int, default=0, help=f"how often each peer is measured; default: {_ROUNDS}")
    run.add_argument("--quick", action="store_true", help=f"{_QUICK_ROUNDS} short rounds, written to .benchmarks/")
    commands.add_parser("adaptive", help="what a server keeps a second while its load and its workers change")
    return parser


def _install(peers: Sequence[str]) -> int:
    for peer in peers:
        environments.install(peer, lambda text: print(text, file=sys.stderr, flush=True))
    return 0


def _run(asked: argparse.Namespace, peers: Sequence[str], is_isolated: bool) -> int:
    chosen = _choose(asked.only)
    if not chosen:
        print(f"no section {asked.only}; there are {_names(every_section())}", file=sys.stderr)
        return 2
    permitted = [peer for peer in peers if is_isolated or peer != "newrelic"]
    rounds = asked.rounds or (_QUICK_ROUNDS if asked.quick else _ROUNDS)
    with Session(permitted, rounds, asked.quick, is_isolated) as session:
        if permitted != list(peers):
            session.note("New Relic is left out: it looks for the internet, and this run has no network of its own.")
        general = len(session.notes)
        for section in chosen:
            results.keep(section, _measure(section, session), session)
            session.notes = session.notes[:general]
    print(results.write(asked.quick), file=sys.stderr)
    return 0


def _measure(section: Section, session: Session) -> list[Sample]:
    session.say(f"{section.NAME}. {section.TITLE}")
    try:
        return list(section.measure(session))
    except WorkerError as error:
        session.note(f"section {section.NAME} was not finished: {error}")
        return []


def _choose(only: str) -> list[Section]:
    names = {name.strip().upper() for name in only.split(",") if name.strip()}
    return [section for section in every_section() if not names or section.NAME in names]


def _names(sections: Sequence[Section]) -> str:
    return ", ".join(section.NAME for section in sections)
