"""`@service`: the spans of a class go by a name, a sampler and exporters of its own; its config may install tracing."""

from __future__ import annotations

import pytest
from child_program import run_child
from export.jaeger_sink import sink, tags

from autotrace.errors import ConfigError
from autotrace.installation import plan_of_mapping

# fmt: off
TRACING_CONFIG = {
    'service_name': 'order-service',
    'sampler': {
        'type': 'probabilistic',
        'rate': 0.1  # Sample 10% of requests
    },
    'propagation': {
        'http': True,
        'grpc': True,
        'messaging': True,
        'database': True
    },
    'exporters': [{
        'type': 'jaeger',
        'endpoint': 'http://jaeger:14268/api/traces'
    }]
}
# fmt: on
"""As the design document has it."""

TWO_SERVICES = """
    import sqlite3

    @service
    class Orders:
        @traced
        def create(self):
            helper()
            database = sqlite3.connect(":memory:")
            database.execute("select 1")
            database.close()
            return Payments().pay()

    @service(name="payments")
    class Payments:
        @traced
        def pay(self): return 1

    @traced
    def helper(): pass
    """


def test_two_services_of_one_process_have_resources_of_their_own(program):
    program.install(resource={"deployment.environment": "test"})
    shop = program.load(TWO_SERVICES)
    assert shop.Orders().create() == 1
    assert program.tree() == [
        "Orders.create [Orders]",
        "  helper [shop]",
        "  SELECT [Orders]",
        "  Payments.pay [payments]",
    ]
    shop.helper()
    assert program.tree()[-1] == "helper [shop]"


def test_classes_declared_before_the_installation_are_services_too(program):
    shop = program.load(TWO_SERVICES)
    program.install()
    shop.Orders().create()
    assert {span.service for span in program.spans()} == {"Orders", "payments", "shop"}


def test_a_class_is_given_back_as_it_is(program):
    program.install()
    shop = program.load("""
        class Shop:
            __slots__ = ()
            def work(self): pass
        before = dict(vars(Shop))
        Same = service(name="x")(service(Shop))
        """)
    assert shop.Same is shop.Shop
    assert dict(vars(shop.Shop)) == shop.before


def test_a_sampler_of_its_own_decides_where_its_span_is_the_local_root(program):
    program.install()
    shop = program.load("""
        @service(tracing={"service_name": "quiet", "sampler": {"rate": 0.0}})
        class Quiet:
            @traced
            def work(self, fail=False):
                if fail: raise KeyError(1)
        @traced
        def outer(): Quiet().work()
        """)
    shop.Quiet().work()
    shop.outer()
    with pytest.raises(KeyError):
        shop.Quiet().work(fail=True)
    assert program.tree() == ["outer [shop]", "  Quiet.work [quiet]", "Quiet.work [quiet]!"]


def test_exporters_of_its_own_replace_those_of_the_process(program):
    with sink() as collector:
        program.install()
        config = {
            "service_name": "billing",
            "exporters": [{"type": "jaeger", "endpoint": collector.endpoint}],
            "resource": {"team": "money"},
        }
        shop = program.load(f"""
            @service(tracing={config!r})
            class Billing:
                @traced
                def bill(self): pass
            @traced
            def outer(): Billing().bill()
            """)
        shop.outer()
        assert program.tree() == ["outer [shop]"]
        outer = program.span("outer")
        program.installation.uninstall()
        (batch,) = collector.batches
    assert batch.process.serviceName == "billing"
    assert tags(batch.process)["team"] == "money"
    assert [span.operationName for span in batch.spans] == ["Billing.bill"]
    assert f"{batch.spans[0].parentSpanId & (1 << 64) - 1:016x}" == outer.span_id


def test_the_document_s_config_is_valid_as_it_stands():
    plan = plan_of_mapping(TRACING_CONFIG)
    assert (plan.service_name, plan.sampler.type, plan.sampler.rate) == ("order-service", "probabilistic", 0.1)
    assert plan.propagation.database
    assert [(one.type, one.endpoint) for one in plan.exporters] == [("jaeger", "http://jaeger:14268/api/traces")]


PLAIN = """
from autotrace import service, traced, TraceContext

@service
class Before:
    @traced
    def work(self): After().work()

@service(tracing=CONFIG)
class TracedService:
    @traced
    def work(self): Before().work()

@service
class After:
    @traced
    def work(self): pass

for _ in range(COUNT):
    TracedService().work()
"""


def _program(config, count=1):
    return f"CONFIG = {config!r}\nCOUNT = {count}\n{PLAIN}"


def test_in_a_plain_run_a_config_installs_tracing_for_classes_before_and_after(tmp_path):
    done = run_child(tmp_path, "-c", _program({"service_name": "order-service"}))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shown = run_child(tmp_path, "-m", "autotrace", "show", "--tree")
    assert shown.stdout.splitlines()[-3:] == [
        "TracedService.work [order-service]",
        "└─ Before.work [Before]",
        "   └─ After.work [After]",
    ]


def test_the_document_s_config_samples_and_exports_to_jaeger(tmp_path):
    with sink() as collector:
        config = {**TRACING_CONFIG, "exporters": [{"type": "jaeger", "endpoint": collector.endpoint}]}
        done = run_child(tmp_path, "-c", _program(config, count=400))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        batches = list(collector.batches)
    names = {batch.process.serviceName for batch in batches}
    assert names == {"order-service", "Before", "After"}
    roots = [span for batch in batches for span in batch.spans if span.operationName == "TracedService.work"]
    assert 10 <= len(roots) <= 90


def test_without_a_config_nothing_is_installed(tmp_path):
    source = PLAIN.replace("(tracing=CONFIG)", "").replace("COUNT", "1")
    done = run_child(tmp_path, "-c", source)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environment", [{"AUTOTRACE": "off"}, {}], ids=["switched off", "under pytest"])
def test_tracing_that_is_unwanted_is_not_installed(tmp_path, environment):
    start = "" if environment else "import pytest\n"
    done = run_child(tmp_path, "-c", start + _program({"service_name": "x"}), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_under_the_launcher_the_file_stays_the_base(tmp_path):
    (tmp_path / "tracing.toml").write_text('service_name = "base"\n[[services]]\nat = "app:other"\n')
    (tmp_path / "app.py").write_text(
        _program({"service_name": "order-service", "sampler": {"rate": 1.0}})
        + "def other(): TracedService().work()\nother()\n"
    )
    done = run_child(tmp_path, "-m", "autotrace", "app.py")
    assert (done.returncode, done.stderr) == (0, "")
    shown = run_child(tmp_path, "-m", "autotrace", "show", "--tree")
    assert shown.stdout.splitlines()[-4:] == [
        "other [base]",
        "└─ TracedService.work [order-service]",
        "   └─ Before.work [Before]",
        "      └─ After.work [After]",
    ]


def test_a_mistake_in_a_config_is_said_where_the_class_is_declared(tmp_path):
    done = run_child(tmp_path, "-c", _program({"sampler": {"rates": 1}}))
    assert done.returncode == 1
    assert "ConfigError: @service of TracedService: sampler" in done.stderr
    assert "rate" in done.stderr


def test_beside_a_config_of_the_process_a_mistake_is_said_too(program):
    program.install()
    with pytest.raises(ConfigError, match=r"@service of Shop: .*sampler"):
        program.load("@service(tracing={'sampler': {'rate': 7}})\nclass Shop: pass\n")


def test_a_config_may_ask_to_run_untraced_if_it_is_wrong(tmp_path):
    done = run_child(tmp_path, "-c", _program({"on_config_error": "run_untraced", "rate": 1}))
    assert done.returncode == 0
    assert "TracedService runs UNTRACED" in done.stderr


def test_runs_count_the_roots_of_every_sampler(tmp_path):
    config = {"service_name": "quiet", "sampler": {"rate": 0.0}}
    (tmp_path / "tracing.toml").write_text('service_name = "base"\n')
    (tmp_path / "app.py").write_text(_program(config, count=3))
    done = run_child(tmp_path, "-m", "autotrace", "app.py")
    assert done.returncode == 0
    listed = run_child(tmp_path, "-m", "autotrace", "traces")
    assert "3 seen, 0 kept (rate 0, by [sampler] rate = 0 of quiet)" in listed.stdout
