import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stories import an_order

from autotrace.store.read import StoreReader
from autotrace.store.write import StoreWriter


@pytest.fixture
def store(tmp_path):
    path = tmp_path / ".autotrace" / "traces.db"
    writer = StoreWriter(path)
    for resource, spans in an_order():
        writer.deliver(resource, spans)
    writer.close()
    return path


@pytest.fixture
def empty(tmp_path):
    """A store without a trace, of the runs that are given."""
    path = tmp_path / "empty" / "traces.db"

    def record(*runs):
        writer = StoreWriter(path)
        for one in runs:
            writer.record_run(one)
        writer.close()
        return path

    return record


@pytest.fixture
def spans(store):
    with StoreReader(store) as reader:
        return reader.trace("4bf9")
