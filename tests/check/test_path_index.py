"""Places are found as comparing every pair would find them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podward.check.judging import judge
from podward.check.path_index import PathIndex
from podward.check.policy_set import PolicySet
from podward.documents.document import Document
from podward.path import Key, Path
from podward.policy.pss.standard import Level, Standard
from podward.schema.workload import pod_sources

STEPS: tuple[str | int | Key, ...] = ("spec", "a", 0, 1, Key("a"))
paths = st.lists(st.sampled_from(STEPS), max_size=4).map(lambda steps: Path(tuple(steps)))


@given(st.lists(paths, max_size=8), paths)
def test_the_same_as_every_pair_compared(known: list[Path], asked: Path) -> None:
    expected = [n for n, place in enumerate(known) if place.startswith(asked) or asked.startswith(place)]
    assert sorted(PathIndex(known).overlapping(asked)) == expected
    assert PathIndex(known).overlaps(asked) == bool(expected)


def test_every_finding_about_one_of_many_containers_has_the_changes_of_its_own() -> None:
    containers = [{"name": f"c{number}", "image": "a:1"} for number in range(300)]
    raw = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}}
    (source,) = pod_sources(Document("a.yaml", raw))  # type: ignore[arg-type]  # JSON
    found = judge(source, 0, PolicySet({}, Standard(Level.RESTRICTED))).findings
    own = [finding for finding in found if finding.subject.container]
    assert len(own) == 2 * len(containers)
    for finding in own:
        assert {change.path.segments[:3] for change in finding.changes} == {finding.path.segments[:3]}
