"""The results: takes the samples of sections, keeps those of others from before, gives JSON, Markdown and the chart."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.chart import draw
from benchmarks.environments import CHECKOUT, FOLDER
from benchmarks.ratios import Measured
from benchmarks.sample import Sample
from benchmarks.section import Section, every_section
from benchmarks.session import Session
from benchmarks.tables import goals_table, section_table

_PLACE = CHECKOUT / "benchmarks"
Document = dict[str, Any]


def keep(section: Section, samples: list[Sample], session: Session) -> None:
    """Write what one section gave, with its circumstances; a section that gave nothing leaves what it gave before."""
    if not samples:
        return
    file = _file(session.quick)
    document = _read(file)
    document["sections"][section.NAME] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "rounds": len({sample.round for sample in samples}),
        "notes": list(session.notes),
        "versions": {peer: environments.versions(peer) for peer in session.peers},
        "samples": [_row(sample) for sample in samples],
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def write(quick: bool) -> str:
    """Write the Markdown and the chart from the JSON; where they are."""
    file = _file(quick)
    document = _read(file)
    sections = [section for section in every_section() if section.NAME in document["sections"]]
    measured = {section.NAME: _measured(section, document) for section in sections}
    parts = [_introduction(document), goals_table(sections, measured)]
    for section in sections:
        own = document["sections"][section.NAME]
        parts.append(section_table(section, measured[section.NAME]))
        parts.append(f"{own['rounds']} rounds, {own['date']}. {' '.join(own['notes'])}".strip())
    markdown = file.with_name("RESULTS.md")
    markdown.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    file.with_name("chart.svg").write_text(draw(measured), encoding="utf-8")
    return f"{markdown}, {file.name}, chart.svg"


def machine() -> str:
    """The processor, the system and the Python of this run."""
    processor = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = f"{len(models)} x {models[0]}" if models else processor
    return f"{processor}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _file(quick: bool) -> Path:
    return (FOLDER / "quick" if quick else _PLACE) / "results.json"


def _read(file: Path) -> Document:
    document: Document = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"sections": {}}
    return document


def _measured(section: Section, document: Document) -> Measured:
    samples = [_sample(section.NAME, row) for row in document["sections"][section.NAME]["samples"]]
    return Measured(samples, section.REFERENCE, getattr(section, "OF", {}))


def _row(sample: Sample) -> str:
    """A sample in one line of the JSON."""
    return f"{sample.case} {sample.peer} {sample.mode} {sample.round} {sample.value:.5g} {sample.unit}"


def _sample(section: str, row: str) -> Sample:
    case, peer, mode, number, value, unit = row.split()
    return Sample(section, case, peer, mode, int(number), float(value), unit)


def _introduction(document: Document) -> str:
    sections = document["sections"].values()
    machines = list(dict.fromkeys(section["machine"] for section in sections))
    versions: dict[str, str] = {}
    for section in sections:
        versions.update(section["versions"])
    listed = "\n".join(f"- {environments.TITLES[peer]}: {text}" for peer, text in versions.items())
    return (
        "# What tracing costs\n\n"
        "Made by `python -m benchmarks`; not written by hand. A cell has the median of the rounds' ratios to the reference, "
        "which is measured in the same round, then the median of the values and half the distance of their quartiles. "
        "Peers record as they are meant to, each in an environment and a process of its own; what they send is thrown "
        "away at the very last step, the call of the network.\n\n"
        f"Machine: {'; '.join(machines)}.\n\n{listed}"
    )
