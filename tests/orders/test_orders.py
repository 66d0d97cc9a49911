"""The classic picture: client, gateway, order service, database and queue, payment service, queue, notification service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from autotrace.store.read import StoreReader
from autotrace.view.tree import draw_tree

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "orders"

PAID = """\
POST /orders [api-gateway] server
└─ POST client
   └─ POST /orders [order-service] server
      └─ OrderService.create_order
         ├─ INSERT orders client
         └─ publish payment_needed producer
            └─ process payment_needed [payment-service] consumer
               └─ PaymentService.handle_payment
                  ├─ PaymentService.charge
                  ├─ UPDATE orders client
                  └─ publish payment_complete producer
                     └─ process payment_complete [notification-service] consumer
                        └─ NotificationService.notify_payment_complete
                           └─ INSERT notifications client
"""
DECLINED = """\
POST /orders [api-gateway] server
└─ POST client
   └─ POST /orders [order-service] server
      └─ OrderService.create_order
         ├─ INSERT orders client
         └─ publish payment_needed producer
            └─ process payment_needed [payment-service] consumer
               └─ PaymentService.handle_payment error
                  └─ PaymentService.charge error
"""


def run(store: Path, orders: int, declined: int, config: Path = EXAMPLE / "tracing.toml", **extra: str) -> Counter[str]:
    """Run the example traced; give its drawn traces that begin with an order, each with how often it came out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), "AUTOTRACE_STORE": str(store), **extra}
    command = [sys.executable, "-m", "autotrace", "--config", str(config), str(EXAMPLE / "app.py")]
    outcome = subprocess.run(
        [*command, str(orders), str(declined)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.count("202 ") == orders
    reader = StoreReader(store)
    drawn = [draw_tree(reader.trace(trace.trace_id)).rstrip("\n") + "\n" for trace in reader.traces(limit=10_000)]
    return Counter(tree for tree in drawn if "POST /orders" in tree or "process" in tree)


def test_one_order_is_one_tree_through_four_services(tmp_path: Path) -> None:
    assert run(tmp_path / "traces.db", 2, 1) == {PAID: 1, DECLINED: 1}


def test_the_same_code_on_rabbitmq_and_postgresql_gives_the_same_tree(
    tmp_path: Path, rabbitmq_url: str, postgresql_url: str
) -> None:
    trees = run(tmp_path / "traces.db", 2, 1, BROKER_URL=rabbitmq_url, DATABASE_URL=postgresql_url)
    assert trees == {PAID: 1, DECLINED: 1}


def test_a_hundred_orders_at_once_are_a_hundred_whole_traces(tmp_path: Path) -> None:
    assert run(tmp_path / "traces.db", 100, 0) == {PAID: 100}


def test_so_they_are_on_rabbitmq_and_postgresql(tmp_path: Path, rabbitmq_url: str, postgresql_url: str) -> None:
    trees = run(tmp_path / "traces.db", 100, 0, BROKER_URL=rabbitmq_url, DATABASE_URL=postgresql_url)
    assert trees == {PAID: 100}


def test_at_a_rate_of_one_percent_each_failing_order_is_whole(tmp_path: Path) -> None:
    config = tmp_path / "tracing.toml"
    sampler = '[sampler]\ntype = "probabilistic"\nrate = 0.01\n\n[[sampler.endpoints]]'
    config.write_text((EXAMPLE / "tracing.toml").read_text().replace("[[sampler.endpoints]]", sampler))
    # One worker, two seconds an order: the third fails six seconds after its 202, while its publisher's part lingers.
    trees = run(tmp_path / "traces.db", 4, 3, config, PAYMENT_SECONDS="2", GRACE_SECONDS="12")
    trees.pop(PAID, None)
    assert trees == {DECLINED: 3}
