"""Orders spans into trees: takes stored spans in any order, gives a forest, and the tree as compact text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autotrace.store.stored import StoredSpan

ORPHAN = "(parent not in the store)"


@dataclass(frozen=True, slots=True)
class Node:
    """A span and its children by start time; `orphan` says that it has a parent which is not among the spans."""

    span: StoredSpan
    children: tuple[Node, ...]
    orphan: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a drawn tree: `first` stands before the span's name, `rest` before further lines about it."""

    node: Node
    parent: Node | None
    first: str
    rest: str


def build_forest(spans: Sequence[StoredSpan]) -> tuple[Node, ...]:
    """The trees of these spans, roots and children by start time; every span appears exactly once."""
    ordered = sorted(spans, key=lambda span: (span.start_ns, -span.duration_ns))
    parents = _parents(ordered)
    children: dict[int | None, list[int]] = {}
    for place, parent in enumerate(parents):
        children.setdefault(parent, []).append(place)
    nodes: dict[int, Node] = {}
    # Not recursive: a trace may be deeper than Python's stack.
    for place in reversed(_parents_first(children)):
        below = tuple(nodes.pop(child) for child in children.get(place, ()))
        nodes[place] = Node(ordered[place], below, bool(ordered[place].parent_id) and parents[place] is None)
    return tuple(nodes[place] for place in children.get(None, ()))


def walk(forest: Sequence[Node]) -> Iterator[Branch]:
    """Every node in the order of drawing, with the lines that lead to it."""
    stack = [Branch(node, None, "", "") for node in reversed(forest)]
    while stack:
        branch = stack.pop()
        yield branch
        last = len(branch.node.children) - 1
        for place, child in reversed(list(enumerate(branch.node.children))):
            first, rest = ("└─ ", "   ") if place == last else ("├─ ", "│  ")
            stack.append(Branch(child, branch.node, branch.rest + first, branch.rest + rest))


def draw_tree(spans: Sequence[StoredSpan]) -> str:
    """The trees as text without times, to be read and compared: a line a span, `name [service] kind error`.

    The service stands where it changes, the kind unless it is internal, `error` where the status says so.
    """
    return "\n".join(branch.first + _label(branch) for branch in walk(build_forest(spans)))


def _label(branch: Branch) -> str:
    span = branch.node.span
    words = [span.name]
    if branch.parent is None or branch.parent.span.service != span.service:
        words.append(f"[{span.service}]")
    if span.kind != "internal":
        words.append(span.kind)
    if span.status == "error":
        words.append("error")
    if branch.node.orphan:
        words.append(ORPHAN)
    return " ".join(words)


def _parents(ordered: Sequence[StoredSpan]) -> list[int | None]:
    """For every span the place of its parent among them."""
    # Of a span id that was stored twice, the first gets the children.
    places = {(span.trace_id, span.span_id): place for place, span in reversed(list(enumerate(ordered)))}
    parents = [places.get((span.trace_id, span.parent_id)) if span.parent_id else None for span in ordered]
    settled: set[int] = set()
    for start in range(len(parents)):
        path: set[int] = set()
        place: int | None = start
        while place is not None and place not in settled:
            if place in path:  # spans that are one another's parents would otherwise never be drawn
                parents[place] = None
                break
            path.add(place)
            place = parents[place]
        settled |= path
    return parents


def _parents_first(children: dict[int | None, list[int]]) -> list[int]:
    order: list[int] = []
    stack = list(children.get(None, ()))
    while stack:
        place = stack.pop()
        order.append(place)
        stack.extend(children.get(place, ()))
    return order
