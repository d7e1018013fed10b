"""SCCs are prepared again only where one of them is another than before."""

from __future__ import annotations

from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.policies import LatestPolicies
from podward.schema.scc.reading import scc_view

SCCS = [scc_view(raw) for raw in default_sccs()]


def test_the_same_sccs_are_prepared_once() -> None:
    latest = LatestPolicies()
    assert latest.of(SCCS) is latest.of(tuple(SCCS))


def test_one_that_is_changed_added_or_gone_counts_at_once() -> None:
    latest = LatestPolicies()
    first = latest.of(SCCS)
    changed = [scc_view(default_sccs()[0]), *SCCS[1:]]
    assert changed == SCCS, "equal, and another object all the same"
    assert latest.of(changed) is not first
    assert latest.of(SCCS[1:]).problem is not None
    assert latest.of(()).problem is not None
    assert latest.of(SCCS).problem is None
