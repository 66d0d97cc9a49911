"""Starts and completes local roots: takes places and what is current, gives finished roots to whoever decides.

The quick way, a child of a span that is current, is in `autotrace.span.site`; all other ways come through here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeAlias

from autotrace.span.clock import Clock
from autotrace.span.context import get_current, set_current
from autotrace.span.detail import Detail, making
from autotrace.span.finished import FinishedLink
from autotrace.span.remote import RemoteParent
from autotrace.span.span import LocalRoot, ShortSpan, Span
from autotrace.span.unrecorded import Unrecorded

if TYPE_CHECKING:
    from autotrace.span.site import Site

Lineage: TypeAlias = Span | RemoteParent | Unrecorded | None

# Set by `autotrace.span.runtime_context` once the API is imported: a Context to what of ours or a remote parent is in it.
read_foreign_context: Callable[[object], Lineage] = lambda context: None  # noqa: E731


class Tracer:
    """One process's recording: what happens when a local root starts, overflows and ends.

    `decide` gives the head decision of a local root, `ended` the late one, `early` that on one which holds too many spans to
    wait for its end; `deliver` takes the finished spans of one that is
    kept, `dropped` those of one that is not. `admits` says whether anything is recorded below a local root that has just
    started, and lets it start as its rule says; None: there is no such rule. `limit` is how many finished spans one local
    root may hold. `ignored_errors` gives the names of the exceptions that are no reason to keep a local root.
    """

    def __init__(
        self,
        decide: Callable[[LocalRoot], bool],
        ended: Callable[[LocalRoot], bool],
        deliver: Callable[[LocalRoot, Sequence[Span]], None],
        limit: int = 5000,
        ignored_errors: Callable[[LocalRoot], Collection[str]] = lambda root: (),
        dropped: Callable[[LocalRoot, Sequence[Span]], None] = lambda root, spans: None,
        admits: Callable[[LocalRoot], bool] | None = None,
        early: Callable[[LocalRoot], bool] = lambda root: root.error or root.keep or root.sampled,
    ) -> None:
        self.decide = decide
        self.ended = ended
        self.deliver = deliver
        self.limit = limit
        self.ignored_errors = ignored_errors
        self.dropped = dropped
        self.admits = admits
        self.early = early
        self.active = True

    def resume(self, other: Tracer) -> None:
        """Record for `other` from now on: what was woven once stays woven and holds this tracer."""
        self.decide, self.ended, self.deliver = other.decide, other.ended, other.deliver
        self.admits, self.early = other.admits, other.early
        self.limit, self.ignored_errors, self.dropped = other.limit, other.ignored_errors, other.dropped
        self.active = True

    def start(self, site: Site, kind: type[Span], value: object) -> Span:
        """A span below whatever `value` stands for: a child where its local root is open, else a local root."""
        span = kind()
        span.site = site
        span.parent = value
        span.end = 0
        span.id = 0
        span.detail = None
        if value is None and kind is Span:
            span.root = LocalRoot(self, span, None)
            span.start = Clock.now()
            return span
        lineage = self.lineage(value)
        if isinstance(span, ShortSpan):
            span.seen = span.vanished = False
        if isinstance(lineage, Span) and lineage.root.open:
            span.root = lineage.root
            if isinstance(lineage, ShortSpan):
                lineage.seen = True
        else:
            span.root = self._root(span, lineage)
        span.start = Clock.now()
        return span

    def unrecorded(self, span: Span) -> Unrecorded | None:
        """What is current instead of a local root whose endpoint says `record = false`; None for every other."""
        root = span.root
        if self.admits is None or root.unrecorded is not None or self.admits(root):
            return None
        root.head = root.remote is not None and bool(root.remote.sampled)
        root.unrecorded = Unrecorded(root, span.parent)
        return root.unrecorded

    def start_remote(self, site: Site, kind: type[Span], remote: RemoteParent | None) -> Span:
        """A local root below a span of another process, whatever is current here."""
        span = self.start(site, kind, None)
        span.parent = get_current()
        if remote is not None:
            root = span.root
            root.remote = remote
            root.trace_number = remote.trace_id
            root.trace_state = remote.trace_state
        return span

    def lineage(self, value: object) -> Lineage:
        """The span that `value` stands for; a span that vanished stands for its own parent."""
        while isinstance(value, ShortSpan) and value.vanished:
            value = value.parent
        if value is None or isinstance(value, Span | Unrecorded):
            return value
        return read_foreign_context(value)

    def _root(self, span: Span, lineage: Lineage) -> LocalRoot:
        if isinstance(lineage, RemoteParent):
            return LocalRoot(self, span, lineage)
        if isinstance(lineage, Unrecorded):
            return self._unrecorded_root(span, lineage)
        if lineage is not None and not lineage.root.open and lineage.root.verdict is None:
            above = lineage.root
            return LocalRoot(self, span, RemoteParent(above.trace_id, lineage.span_id, above.sampled))
        root = LocalRoot(self, span, None)
        if lineage is not None:
            # Work that outlives the request which started it: its own trace, linked, or one trace would never end.
            root.links = (FinishedLink(lineage.root.trace_id, lineage.span_id, {}),)
        return root

    def _unrecorded_root(self, span: Span, lineage: Unrecorded) -> LocalRoot:
        above = lineage.root
        if not lineage.open:
            return LocalRoot(self, span, None)
        # What goes out is below the caller, if there is one: our own span is never exported.
        caller = (above.remote.span_id if above.remote is not None else 0) or above.span.span_id
        root = LocalRoot(self, span, RemoteParent(above.trace_id, caller, above.sampled, above.trace_state))
        root.unrecorded = lineage
        root.head = above.sampled  # whatever the rules say of a client's own span
        return root

    def leave(self, span: Span | Unrecorded) -> None:
        """Restore what was current before `span`, where something that was started inside it is still current."""
        value = get_current()
        while value is not None:
            if value is span:
                set_current(span.parent)
                return
            lineage = self.lineage(value)
            if lineage is span:
                set_current(span.parent)
                return
            value = lineage.parent if isinstance(lineage, Span | Unrecorded) else None

    def complete(self, span: Span) -> None:
        """Take a span that has ended: a local root is decided on, a late child follows the decision."""
        root = span.root
        if not root.open and root.verdict is None:
            return  # it was open when this process was forked, and ends in the parent process
        if root.unrecorded is not None:
            self._forget(span, root.unrecorded)
            return
        if root.span is not span:
            if root.open:
                finished = root.finished
                finished.append(span)
                if len(finished) > self.limit:
                    self.overflow(root)
            else:
                (self.deliver if root.verdict else self.dropped)(root, (span,))
            return
        finished = root.finished
        finished.append(span)
        root.open = False
        # Otherwise a task that starts the next task, and so on, would hold every root that ever was.
        span.parent = None
        root.verdict = self.ended(root)
        finished, root.finished = root.finished, []
        (self.deliver if root.verdict else self.dropped)(root, finished)

    def _forget(self, span: Span, unrecorded: Unrecorded) -> None:
        root = span.root
        root.finished = []
        if root.span is span:
            if unrecorded.root is root:
                unrecorded.open = False
            root.open = root.verdict = False
            span.parent = None

    def overflow(self, root: LocalRoot) -> None:
        """Bound a local root that holds too many: a sampled one delivers a chunk, an undecided one drops old leaves."""
        from autotrace.span.hushed import look_into  # which imports this module; it is loaded long before

        if root.unrecorded is not None:
            root.finished = []
            return
        is_kept = self.early(root)
        if is_kept:
            root.keep = True
        with making:
            finished = root.finished
            if len(finished) <= self.limit:
                return  # another thread has just done it
            spans = finished[:]
            # In place, for other threads go on appending to this list.
            if is_kept:
                del finished[: len(spans)]
            else:
                half = len(spans) // 2
                finished[:half] = kept = _without_leaves(spans, half)
                root.dropped += half - len(kept)
        look_into(root, spans)
        if is_kept:
            self.deliver(root, spans)

    def note_error(self, span: Span, error: BaseException) -> None:
        """Remember that an exception left a span of this root, unless the file says that such ones do not count."""
        root = span.root
        ignored = self.ignored_errors(root)
        if not ignored or not any(kind.__name__ in ignored for kind in type(error).__mro__):
            root.error = True


def _without_leaves(spans: Sequence[Span], half: int) -> Sequence[Span]:
    """The first half of `spans` without those that are nobody's parent and did not fail."""
    parents = {id(span.parent) for span in spans}
    kept = [span for span in spans[:half] if id(span) in parents or _failed(span)]
    # A chain has hardly a leaf; then the oldest go, whatever they are, or each span from now on would come here.
    return kept[-(half // 2) :] if len(kept) > half * 3 // 4 else kept


def _failed(span: Span) -> bool:
    return isinstance(span.detail, Detail) and span.detail.status == "error"
