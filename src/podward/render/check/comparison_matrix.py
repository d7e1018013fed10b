"""Where workloads end up, as a table of the page of a comparison: namespaces by SCCs, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from podward.api.policy_change import ComparedWorkload, WorkloadOutcome
from podward.render.escaping import escape

_REFUSED = "refused"
_NO_SCC = "no SCC"


def matrix(placed: tuple[ComparedWorkload, ...]) -> Iterator[str]:
    """Namespaces by SCCs: how many workloads each has, before and after; only where there are SCCs."""
    outcomes = [outcome for place in placed for outcome in (place.before, place.after)]
    if not any(outcome.scc for outcome in outcomes):
        return
    columns = _columns(outcomes)
    before, after = (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
    for place in placed:
        before[place.subject.namespace, _column(place.before)] += 1
        after[place.subject.namespace, _column(place.after)] += 1
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield (
        '<section id="matrix"><header><h2><span>Namespaces and SCCs</span></h2>'
        "<p>How many workloads each SCC admits, before → after.</p></header>"
        f'<div class="scroll"><table class="matrix"><thead><tr><th scope="col">Namespace</th>{heads}</tr></thead>'
        "<tbody>"
    )
    for namespace in sorted({place.subject.namespace for place in placed}):
        cells = "".join(_cell(before[namespace, name], after[namespace, name], name) for name in columns)
        yield f'<tr><th scope="row">{escape(namespace)}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _columns(outcomes: Iterable[WorkloadOutcome]) -> list[str]:
    """The SCCs by name; then what no SCC admitted, and what was refused."""
    every = {_column(outcome) for outcome in outcomes}
    last = [name for name in (_NO_SCC, _REFUSED) if name in every]
    return [*sorted(every.difference(last)), *last]


def _column(outcome: WorkloadOutcome) -> str:
    if outcome.refused:
        return _REFUSED
    return f"scc {outcome.scc}" if outcome.scc else _NO_SCC


def _cell(before: int, after: int, name: str) -> str:
    if before == after:
        return f'<td class="zero">{before or "·"}</td>'
    tone = "worse" if name == _REFUSED and after > before else "moved"
    return f'<td class="{tone}"><s>{before} →</s> {after}</td>'
