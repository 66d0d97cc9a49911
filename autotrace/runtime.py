"""One process's tracing: takes a plan, wires the stages to each other, and undoes it in reverse."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

from autotrace import __version__, guard
from autotrace.errors import StoreError
from autotrace.export.chosen import choose
from autotrace.export.linger import Linger
from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.hook.children import Children, Entry, environment
from autotrace.hook.code_cache import CodeCache
from autotrace.hook.declared import meeting
from autotrace.hook.finder import TracingFinder
from autotrace.hook.matching import MAIN, Matching
from autotrace.hook.multiprocess import SPAWNED_MAIN, Multiprocessing
from autotrace.hook.patch import Patcher
from autotrace.hook.sudden_end import SuddenEnd
from autotrace.hook.trace import ModuleTracing
from autotrace.hook.weave import Woven
from autotrace.plan.plan import Plan
from autotrace.plan.service import ServiceSettings
from autotrace.plan.target import Target
from autotrace.sample.sampler import Sampler
from autotrace.sample.samplers import Samplers
from autotrace.span.construct import Construction
from autotrace.span.fork import leave_to_parent, settle, watch
from autotrace.span.service import Service
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer
from autotrace.store.location import locate
from autotrace.store.run import Run
from autotrace.store.write import StoreWriter
from autotrace.view.report import agent_lines, end_line, fallback_lines, unmatched_lines

if TYPE_CHECKING:
    from autotrace.conventions import Environment

OPENTELEMETRY = "opentelemetry.trace"
_SPAWNING = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})


class Runtime:
    """Tracing in this process, from `start` to `stop`."""

    first_tracer: ClassVar[Tracer | None] = None
    installed: ClassVar[list[Runtime]] = []

    def __init__(self, plan: Plan, entry_names: Iterable[str] = (), entry: Entry | None = None) -> None:
        self.plan = plan
        self.store = locate(plan.store.path, plan.directory, environment())
        self._sampler = Samplers(Sampler(plan.sampler))
        self._writer = StoreWriter(self.store)
        self._resource = ProcessResource(plan.service_name, __version__, dict(plan.resource))
        self._pipeline = Pipeline(choose(plan.exporters, self._writer), self._resource, plan.buffer.memory)
        self._linger = Linger(self._writer, self._pipeline.deliver, self._pipeline.awake)
        self._pipeline.each_round = self._linger.listen
        self._recording = self._tracer()
        self._is_covered = False
        self.tracer = Runtime.first_tracer = Runtime.first_tracer or self._tracer()
        self.construction = Construction(self.tracer)
        self._matching = Matching(plan.targets, entry_names)
        self._patcher = Patcher()
        cache = CodeCache(str(self.store.parent / "code"), repr(plan.targets) + plan.how)
        self._multiprocessing = Multiprocessing(self.flush, self._compile_spawned_main)
        self._sudden_end = SuddenEnd(self._flush_waiting)
        self._children = None if entry is None else Children(plan.config_file, str(self.store), entry)
        after_import = {OPENTELEMETRY: self._join_opentelemetry, "signal": self._sudden_end.enter_signal}
        after_import.update(self._multiprocessing.hooks())
        if self._children is not None:
            after_import["subprocess"] = self._children.enter_subprocess
        self._modules = ModuleTracing(self._matching, self, self._patcher, cache, plan.how, after_import)
        self._finder = TracingFinder(self._modules)
        self._environment: Environment | None = None
        self._undo: list[Callable[[], None]] = []
        self._started_ns = time.time_ns()
        self._pid = os.getpid()
        self._modules_of_parent: frozenset[str] = frozenset()
        self._has_forked = False
        self.reports = True
        watch(self)

    def _tracer(self) -> Tracer:
        return Tracer(
            decide=self._sampler.decide,
            ended=self._sampler.ended,
            deliver=self._deliver,
            dropped=self._linger.take,
            limit=self.plan.buffer.spans_per_trace,
            ignored_errors=frozenset(self.plan.sampler.keep_ignore),
        )

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        if not root.head:
            self._linger.announce(root)
        self._pipeline.deliver(root, spans)

    @property
    def compile_main(self) -> Callable[[bytes | str, str], CodeType]:
        """Compiles the entry program with its tracing."""
        return self._modules.compile_main

    def _compile_spawned_main(self, source: bytes | str, filename: str) -> CodeType:
        return self._modules.compile_main(source, filename, SPAWNED_MAIN)

    def start(self) -> None:
        """Trace what is imported from now on, and what is loaded already; an older installation waits meanwhile."""
        for older in Runtime.installed:
            older._is_covered = True
        Runtime.installed.append(self)
        self.tracer.resume(self._recording)
        self._finder.install()
        self._undo.extend((self._finder.remove, self._patcher.undo, self._multiprocessing.leave, self._sudden_end.stop))
        self._sudden_end.start()
        if self._children is not None:
            self._undo.append(self._children.stop)
            self._children.start()
        self._trace_loaded()
        atexit.register(self.stop)
        self._undo.append(lambda: atexit.unregister(self.stop))
        self._undo.append(lambda: meeting.leave(self))
        meeting.arrive(self)

    def _trace_loaded(self) -> None:
        for name, module in list(sys.modules.items()):
            if name not in (MAIN, SPAWNED_MAIN) and not name.startswith("autotrace") and self._modules.concerns(name):
                self._modules.loaded(module)

    def flush(self) -> None:
        """Bring what was kept so far to the exporters."""
        self._pipeline.flush(self.plan.shutdown_timeout_ns)
        self._write_run()

    def _flush_waiting(self) -> None:
        try:
            if self._pipeline.waiting:
                self.flush()
        except BaseException as failure:
            guard.swallow(failure)

    def stop(self) -> None:
        """Undo everything in reverse, bring what was kept to the exporters, and say what has to be said."""
        undo, self._undo = self._undo, []
        if not undo:
            return
        self.tracer.active = False
        for step in (*reversed(undo), self._uncover, self._hear_once_more):
            try:
                step()
            except BaseException as failure:
                guard.swallow(failure)
        try:
            if not self._pipeline.shutdown(self.plan.shutdown_timeout_ns):
                self._say("spans were not exported: the end of the program waits no longer ([shutdown] timeout)")
            self._write_run()
            self._writer.close()
            self._report()
        except BaseException as failure:
            guard.swallow(failure)

    def _uncover(self) -> None:
        """Let whoever was installed before this record again, and patch what is no longer patched."""
        Runtime.installed.remove(self)
        if Runtime.installed:
            newest = Runtime.installed[-1]
            newest.tracer.resume(newest._recording)
            newest._trace_loaded()

    def _hear_once_more(self) -> None:
        try:
            self._linger.listen()
        except StoreError as error:
            if self._stores():
                self._say(str(error))

    def constants(self, target: Target, module: str, woven: Woven) -> Mapping[str, object]:
        """What stands in the code of a woven function."""
        return self.construction.constants(target, module, woven.qualname, woven.roots, woven.mark)

    def wrapper(self, target: Target, module: str, qualname: str, original: Any) -> Callable[..., Any] | None:
        """What wraps a patched function."""
        from autotrace.conventions import build  # when the first function is patched, not before

        return build(original, target, module, qualname, self.environment)

    @property
    def environment(self) -> Environment:
        """What the conventions see of this process."""
        if self._environment is None:
            from autotrace.conventions import Environment

            self._environment = Environment(self.construction, self.plan.propagation)
        return self._environment

    def names(self, module: str, qualname: str) -> bool:
        """Whether the file names a function of the user's, which is then traced as the file says."""
        found = self._matching.first(self._matching.of_module(module), qualname)
        return found is not None and self.plan.targets[found].integration is None

    def patch(self, function: FunctionType, wrapper: Callable[..., Any]) -> bool:
        """Wrap a declared function, which cannot be given other code, where its module or class holds it; if it does."""
        module = sys.modules.get(function.__module__)
        if module is None or "<locals>" in function.__qualname__:
            return False
        return self._patcher.patch(module, function.__qualname__, lambda original: wrapper) is None

    def add_service(self, service: Service, settings: ServiceSettings) -> None:
        """Let the spans of a service be its own."""
        if settings.sampler is not None:
            self._sampler.add(service, settings.sampler)
        exporters = None if settings.exporters is None else choose(settings.exporters, self._writer)
        self._pipeline.route(service, self._resource.named(service.name, dict(settings.resource)), exporters)

    def _join_opentelemetry(self) -> None:
        from autotrace.span import provider, runtime_context  # OpenTelemetry, which the application has just imported

        runtime_context.take_slot()
        self._undo.append(runtime_context.leave_slot)
        api = provider.Api(self.tracer)
        api.enter()
        self._undo.append(api.leave)

    def _write_run(self) -> None:
        counts = self._sampler.counts()
        unmatched = self._unmatched_lines()
        run = Run(
            pid=os.getpid(),
            service=self.plan.service_name,
            started_ns=self._started_ns,
            command=" ".join(sys.argv),
            updated_ns=time.time_ns(),
            roots_seen=counts.seen,
            roots_kept=counts.kept,
            spans=self._pipeline.exported,
            rate=counts.rate,
            rule=counts.rule,
            unmatched=tuple(unmatched),
        )
        try:
            self._writer.record_run(run)
        except StoreError as error:
            if self._stores():
                self._say(str(error))

    def _report(self) -> None:
        if not self.reports:
            return
        for line in self._unmatched_lines():
            self._say(line)
        if os.getpid() != self._pid:
            return
        for line in (*fallback_lines(self._matching.fallbacks), *agent_lines(sys.modules)):
            self._say(line)
        counts = self._sampler.counts()
        if sys.stderr is not None and sys.stderr.isatty():
            others = [one.type for one in self.plan.exporters if one.type != "sqlite"]
            self._say(end_line(counts.kept, counts.seen, Path(self.store) if self._stores() else None, others))

    def _stores(self) -> bool:
        """Whether the spans go to the local store."""
        return any(exporter.type == "sqlite" for exporter in self.plan.exporters)

    def _unmatched_lines(self) -> list[str]:
        """What never matched, where this process can tell: it has imported the module, or nobody else would have."""
        unmatched = [] if self._is_covered else self._matching.unmatched()
        if self.plan.is_shared or self._has_children():
            others = {MAIN, *self._modules_of_parent}
            unmatched = [one for one in unmatched if one[0].module in sys.modules and one[0].module not in others]
        return unmatched_lines(unmatched, sys.modules)

    def _has_children(self) -> bool:
        started = self._children is not None and self._children.has_started
        return started or self._has_forked or not _SPAWNING.isdisjoint(sys.modules)

    def before_fork(self) -> None:
        """Settle what the child must agree with us on."""
        self._has_forked = True
        settle(self.tracer)

    def after_fork_in_child(self) -> None:
        """Leave to the parent what is its own."""
        leave_to_parent(self.tracer)
        self._sampler.reset()
        self._started_ns = time.time_ns()
        self._modules_of_parent = frozenset(sys.modules)

    def _say(self, line: str) -> None:
        if sys.stderr is not None:
            print(f"autotrace: {line}", file=sys.stderr)
