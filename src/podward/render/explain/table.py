"""`podward explain -o table`: for each Pod a verdict, its rows, what is unknown or refused, and hints."""

from __future__ import annotations

from msgspec import structs

from podward.decision import Unknown
from podward.render.escaping import clipped, clipped_front, printable, width, wrapped
from podward.render.explain import grid, ranking_table, value_text
from podward.render.explain.row_types import CitedHint, ContainerRows, PodRows, Refusal
from podward.render.explain.verdict import REFUSED
from podward.render.palette import MIN_COLUMNS, Palette

_MOST_VERDICT_LINES = 4
_HintKey = tuple[str, str, str]


def table(pods: tuple[PodRows, ...], columns: int, palette: Palette) -> str:
    """All Pods, each with its verdict, containers, refusals and hints."""
    columns = max(columns, MIN_COLUMNS)
    rows = [row for pod in pods for row in (*pod.rows, *(row for each in pod.containers for row in each.rows))]
    legend = _dim(grid.legend(rows, columns), palette)
    blocks: list[str] = []
    for pod in pods:
        printed = _PodBlocks(pod, legend, columns, palette)
        blocks += printed.blocks
        legend = printed.legend
    return "\n".join(blocks)


def _dim(text: str, palette: Palette) -> str:
    """The lines in the colour of what is told beside."""
    return "".join(f"{palette.paint(palette.dim, line)}\n" for line in text.splitlines())


class _PodBlocks:
    """What is printed about one Pod. `legend` follows the first rows that there are; afterwards it is empty."""

    def __init__(self, pod: PodRows, legend: str, columns: int, palette: Palette) -> None:
        self.legend = legend
        self._columns = columns
        self._palette = palette
        self._hints = _by_hint(pod.containers)
        self._unknowns = _by_unknown(pod.containers)
        kind = "" if pod.kind == "Pod" else f" (of {pod.kind})"
        title = printable(f"Pod {pod.namespace}/{pod.name or '(no name)'}{kind}")
        self.blocks = [_title(title, (pod.where,), columns, palette) + _verdicts(pod, columns, palette)]
        if pod.admission is not None:
            self.blocks.append(ranking_table.table(pod.admission, columns, palette))
        self._rows(pod)
        self.blocks += ["\n".join(wrapped(f"note: {note}", columns, 6)) + "\n" for note in pod.notes]
        self.blocks += [_unknown(each, columns, palette) for each in pod.unknowns]
        self.blocks += [_refusal(refusal, columns, palette) for refusal in pod.refusals]
        for container in pod.containers:
            self._container(container)
        self._shared()
        if pod.folded:
            rows = "1 row is" if pod.folded == 1 else f"{pod.folded} rows are"
            self.blocks.append(_dim(f"{rows} as the defaults have them: -o wide tells them", palette))

    def _rows(self, part: PodRows | ContainerRows) -> None:
        """The grid below the title of the part, if it has rows."""
        if not part.rows:
            return
        observed = isinstance(part, ContainerRows) and part.observed
        printed = grid.grid(part.rows, self._columns, self._palette, observed=observed) + self.legend
        self.legend = ""
        if isinstance(part, ContainerRows):
            self.blocks[-1] += printed
        else:
            self.blocks.append(printed)

    def _container(self, container: ContainerRows) -> None:
        columns, palette = self._columns, self._palette
        kind = "container" if container.kind == "regular" else f"{container.kind} container"
        about = (container.where, f"image {container.image}")
        self.blocks.append(_title(printable(f"{kind} {container.name}"), about, columns, palette))
        self._rows(container)
        alone = [each for each in container.unknowns if len(self._unknowns[each]) == 1]
        self.blocks += [_unknown(each, columns, palette) for each in alone]
        self.blocks += [_refusal(refusal, columns, palette) for refusal in container.refusals]
        own = [hint for hint in container.hints if len(self._hints[_key(hint)]) == 1]
        self.blocks += [_hint(hint, "", columns, palette) for hint in own]

    def _shared(self) -> None:
        """What several containers share, once, with who they are."""
        for unknown, names in self._unknowns.items():
            if len(names) > 1:
                self.blocks.append(_unknown(unknown, self._columns, self._palette))
        for hints in self._hints.values():
            if len(hints) > 1:
                changes = tuple({str(change.path): change for _, hint in hints for change in hint.changes}.values())
                told = structs.replace(hints[0][1], changes=changes)
                about = f"containers {', '.join(dict.fromkeys(name for name, _ in hints))}"
                self.blocks.append(_hint(told, about, self._columns, self._palette))


def _key(hint: CitedHint) -> _HintKey:
    return hint.name, hint.problem, hint.remedy


def _by_hint(containers: tuple[ContainerRows, ...]) -> dict[_HintKey, list[tuple[str, CitedHint]]]:
    """By what a hint says: the containers that it is about."""
    found: dict[_HintKey, list[tuple[str, CitedHint]]] = {}
    for container in containers:
        for hint in container.hints:
            found.setdefault(_key(hint), []).append((container.name, hint))
    return found


def _by_unknown(containers: tuple[ContainerRows, ...]) -> dict[Unknown, list[str]]:
    found: dict[Unknown, list[str]] = {}
    for container in containers:
        for unknown in container.unknowns:
            found.setdefault(unknown, []).append(container.name)
    return found


def _verdicts(pod: PodRows, columns: int, palette: Palette) -> str:
    printed = ""
    for line in pod.verdicts:
        colour = palette.bad if REFUSED in line else palette.title
        printed += "".join(f"{palette.paint(colour, part)}\n" for part in wrapped(line, columns, _MOST_VERDICT_LINES))
    return printed


def _title(title: str, about: tuple[str, ...], columns: int, palette: Palette) -> str:
    """A heading and facts about it: on one line if they fit, files without directories if need be; else on several."""
    words = [printable(word) for word in about]
    for listed in (words, [words[0].rpartition("/")[2], *words[1:]]):
        if width("  ".join((title, *listed))) <= columns:
            return f"{palette.paint(palette.title, title)}  {palette.paint(palette.dim, '  '.join(listed))}\n"
    lines = [palette.paint(palette.dim, clipped_front(word, columns)) for word in words]
    return "\n".join((palette.paint(palette.title, clipped(title, columns)), *lines)) + "\n"


def _unknown(unknown: Unknown, columns: int, palette: Palette) -> str:
    """Why values of the container are unknown, and how to know them."""
    head = "\n".join(wrapped(f"unknown: {unknown.why}", columns, 4))
    remedy = wrapped(f"→ {unknown.remedy}", columns - 4, 12)
    return "\n".join((palette.paint(palette.hint, head), *(f"    {line}" for line in remedy))) + "\n"


def _refusal(refusal: Refusal, columns: int, palette: Palette) -> str:
    place = f": {refusal.path}" if refusal.path.segments else ""
    who = f"refused by the {refusal.stage} stage ({refusal.source.name}) at {refusal.where}{place}"
    lines = wrapped(refusal.reason, columns - 4, 12)
    head = "\n".join(wrapped(who, columns, 4))
    if refusal.next_command:
        lines += wrapped(f"→ `{refusal.next_command}`", columns - 4, 12)
    return "\n".join((palette.paint(palette.bad, head), *(f"    {line}" for line in lines))) + "\n"


def _hint(hint: CitedHint, about: str, columns: int, palette: Palette) -> str:
    """A hint; `about` says whom it is about where that is not the container above."""
    named = f"hint {hint.name}  " + (f"{clipped(about, columns // 2)}  " if about else "")
    head = palette.paint(palette.hint, named + clipped_front(hint.where, max(columns - width(named), 8)))
    lines = [*wrapped(hint.problem, columns - 4, 12), *wrapped(f"→ {hint.remedy}", columns - 4, 12)]
    lines += [
        f"  {line}"
        for change in hint.changes
        for line in wrapped(
            _change(str(change.path), None if change.value is None else value_text.plain(change.value)), columns - 6, 8
        )
    ]
    return "\n".join((head, *(f"    {line}" for line in lines))) + "\n"


def _change(path: str, value: str | None) -> str:
    return f"remove {path}" if value is None else f"{path}: {value}"
