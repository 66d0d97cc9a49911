"""Where the suites run: takes the pinned lists of this folder, gives a virtual environment and the unpacked sources."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SOURCES = HERE / "sources.txt"
REQUIREMENTS = HERE / "requirements.txt"


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder that holds a virtual environment with the suites' libraries, and their source distributions, unpacked."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def sources(self, suite: str) -> Path:
        """The folder of a suite's source distribution."""
        (found,) = (self.folder / "sources").glob(f"{suite}-*/")
        return found


def make_environment() -> Environment:
    """The environment of this interpreter and these lists, made if it is not there yet (about a minute, with downloads)."""
    folder = _cache_folder() / _key()
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = folder / "complete"
        if not complete.exists():
            _fill(environment)
            complete.touch()
    return environment


def _cache_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "autotrace-gate"


def _key() -> str:
    made_of = (sys.version, sys.base_prefix, SOURCES.read_text(), REQUIREMENTS.read_text())
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]


def _fill(environment: Environment) -> None:
    venv = environment.folder / "venv"
    downloads = environment.folder / "downloads"
    sources = environment.folder / "sources"
    for leftover in (venv, downloads, sources):
        shutil.rmtree(leftover, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    names = ",".join(line.partition("==")[0] for line in SOURCES.read_text().splitlines() if "==" in line)
    options = ["--no-deps", "--no-binary", names, "--require-hashes", "--dest", str(downloads)]
    _pip(environment, "download", *options, "--requirement", str(SOURCES))
    archives = sorted(downloads.glob("*.tar.gz"))
    _pip(environment, "install", "--requirement", str(REQUIREMENTS), *map(str, archives))
    for archive in archives:
        _unpack(archive, sources)


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        if hasattr(tarfile, "data_filter"):  # not in 3.11.2, which Debian 12 has
            opened.extractall(folder, filter="data")
        else:
            opened.extractall(folder)


def _pip(environment: Environment, *arguments: str) -> None:
    command = [str(environment.python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip {arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
