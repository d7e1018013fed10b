"""The lower part of an explanation's page: all cited sources, with links to the rows that they decided.

A source whose text is at hand is shown as a line of its file: manifests, policies, files of images. Any other source (a
table of defaults, a rule, the image's config) is shown as a card. Each has an id that links can lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podward.decision import Origin
from podward.render.escaping import clipped, escape
from podward.render.explain.row_types import CitedValue

WHOLE = 400
"""A file with more lines is shown only around the lines that are cited."""
AROUND = 6
LINE_CELLS = 300
_MOST_BACK_LINKS = 12


class CitedSources:
    """All sources of a page; `texts` has the contents of files by the names that sources have."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._files = {name: (f"d{index}", text.splitlines()) for index, (name, text) in enumerate(texts.items())}
        self._keys: dict[str, str] = {}
        self._cards: dict[str, str] = {}
        self._about: dict[str, tuple[Origin, str]] = {}
        self._decided: dict[str, dict[str, str]] = {}

    def key(self, part: CitedValue) -> str:
        """The class name of everything that the part's source decides."""
        return self._keys.setdefault(self.target(part), f"k{len(self._keys)}")

    def target(self, part: CitedValue) -> str:
        """The id of the line or card of the part's source."""
        name, line = part.source.name, part.source.line
        if part.written:
            name, _, number = part.where.rpartition(":")
            line = int(number) if number.isascii() and number.isdigit() else None
        if name in self._files and line is not None:
            prefix, lines = self._files[name]
            if 1 <= line <= len(lines):
                return f"{prefix}-{line}"
        target = self._cards.setdefault(part.where, f"s{len(self._cards)}")
        self._about[target] = (part.source.origin, part.where)
        return target

    def decided(self, part: CitedValue, row: str, label: str) -> None:
        """Remember that the part's source decided the row with this id; `label` is the row's name."""
        self._decided.setdefault(self.target(part), {})[row] = label

    def highlights(self) -> str:
        """Style rules that highlight everything that the line or card decided to which a link led."""
        return "".join(
            f"body:has(#{target}:target) path.{key}{{stroke-width:7px}}"
            f"body:has(#{target}:target) a.{key} rect{{stroke-width:3px}}"
            for target, key in self._keys.items()
        )

    def html(self) -> str:
        """The files with their lines, then the cards."""
        return "".join([*(self._file(name) for name in self._files), self._all_cards()])

    def _file(self, name: str) -> str:
        prefix, lines = self._files[name]
        cited = {int(target.partition("-")[2]) for target in self._keys if target.startswith(f"{prefix}-")}
        rows = "".join(self._lines(prefix, lines, cited))
        return f'<section><h2>{escape(name)}</h2><ol class="m">{rows}</ol></section>'

    def _lines(self, prefix: str, lines: list[str], cited: set[int]) -> Iterator[str]:
        left_out = False
        for number, line in enumerate(lines, 1):
            if len(lines) > WHOLE and not any(abs(number - one) <= AROUND for one in cited):
                if not left_out:
                    yield '<li class="gap">…</li>'
                left_out = True
                continue
            left_out = False
            shown = escape(clipped(line.expandtabs(), LINE_CELLS))
            if number in cited:
                target = f"{prefix}-{number}"
                yield (f'<li id="{target}" class="cited"><b>{number}</b><code>{shown}</code>{self._back(target)}</li>')
            else:
                yield f"<li><b>{number}</b><code>{shown}</code></li>"

    def _all_cards(self) -> str:
        if not self._cards:
            return ""
        cards = "".join(
            f'<li id="{target}" class="card"><span class="o-{origin.value}">{origin.value}</span> '
            f"<code>{escape(where)}</code>{self._back(target)}</li>"
            for target, (origin, where) in self._about.items()
        )
        return f"<section><h2>Tables, rules and what else decided</h2><ul>{cards}</ul></section>"

    def _back(self, target: str) -> str:
        """Links to the rows that this source decided."""
        rows = list(self._decided.get(target, {}).items())
        links = " ".join(f'<a href="#{row}">{escape(clipped(label, 40))}</a>' for row, label in rows[:_MOST_BACK_LINKS])
        more = f" and {len(rows) - _MOST_BACK_LINKS} more" if len(rows) > _MOST_BACK_LINKS else ""
        return f'<span class="back">→ {links}{more}</span>' if links else ""
