"""The samplers of one process: takes a local root, asks the sampler of its service, or that of the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.counts import Counts
from autotrace.sample.sampler import Sampler
from autotrace.sample.sharing import Budget
from autotrace.span.service import Service
from autotrace.span.span import LocalRoot


class Samplers:
    """A service's own sampler decides only where its span is the local root; the process's goes by `service_name`."""

    def __init__(self, process: Sampler, service_name: str) -> None:
        self._process = process
        self._service_name = service_name
        self._own: dict[Service, Sampler] = {}

    def add(self, service: Service, settings: SamplerSettings) -> Sampler:
        """Let a service decide by settings of its own; gives its sampler, one for all services of that name with them."""
        for name, sampler in ((self._service_name, self._process), *self._named()):
            if name == service.name and sampler.settings == settings:
                break
        else:
            sampler = Sampler(settings)
        if sampler is not self._process:
            self._own[service] = sampler
        return sampler

    @property
    def admits_all(self) -> bool:
        """Whether no rule has a say in how a local root starts: none has `record = false` or ignores callers."""
        return all(sampler.admits_all for sampler in self._every())

    def before_fork(self) -> None:
        """Have servers asked anew with the next decision, here and in the child: the thread that asks is stopped."""
        for sampler in self._every():
            if sampler.remote is not None:
                sampler.remote.is_asked = False

    def reset(self) -> None:
        """Start counting anew, as a fork's child does."""
        for sampler in self._every():
            sampler.reset()

    def admits(self, root: LocalRoot) -> bool:
        """Whether anything of a local root that has just started is recorded; it starts as its rule says."""
        return self._sampler(root).admits(root)

    def decide(self, root: LocalRoot) -> bool:
        """The head decision of a local root."""
        return (self._sampler(root) if self._own else self._process).decide(root)

    def ignored_errors(self, root: LocalRoot) -> Sequence[str]:
        """The names of the exceptions that are no reason to keep a local root."""
        return self._sampler(root).settings.keep_ignore

    def early(self, root: LocalRoot) -> bool:
        """The decision on a local root that holds too many spans to wait for its end."""
        return self._sampler(root).early(root)

    def ended(self, root: LocalRoot) -> bool:
        """The late decision of a local root that has ended."""
        return (self._sampler(root) if self._own else self._process).ended(root)

    def counts(self) -> Counts:
        """What all of them have decided so far; the rule is that of the sampler that dropped most."""
        counts = self._process.counts()
        most = counts.dropped
        for name, sampler in self._named():
            own = sampler.counts()
            if own.dropped > most:
                most = own.dropped
                counts = counts._replace(rate=own.rate, rule=f"{own.rule} of {name}")
            counts = counts._replace(
                seen=counts.seen + own.seen,
                sampled=counts.sampled + own.sampled,
                late=counts.late + own.late,
                rules=(*counts.rules, *own.rules),
                endpoints=(*counts.endpoints, *own.endpoints),
                unused=(*counts.unused, *own.unused),
            )
        return counts

    def budgets(self) -> Mapping[str, Budget]:
        """What this process shares with others, by service and, where it is a rule's, endpoint."""
        return {
            f"{name} {endpoint}" if endpoint else name: budget
            for name, sampler in (*self._named(), (self._service_name, self._process))
            for endpoint, budget in sampler.budgets.items()
        }

    def _every(self) -> Sequence[Sampler]:
        return (self._process, *(sampler for _, sampler in self._named()))

    def _named(self) -> Sequence[tuple[str, Sampler]]:
        """The samplers of services, each once, by the services' name."""
        return list(dict.fromkeys((service.name, sampler) for service, sampler in list(self._own.items())))

    def _sampler(self, root: LocalRoot) -> Sampler:
        service = root.span.site.service
        return self._process if service is None else self._own.get(service, self._process)
