"""What processes tell each other of a comparison comes back as it was, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.policy_change import ChangeKind, ComparedWorkload, PolicyChange, RefusalReasons, WorkloadOutcome
from podward.check import comparison_wire
from podward.check.comparison_wire import FileResult
from podward.check.wire import WireError
from podward.decision import Origin, Source
from podward.path import Key, Path, path

text = st.text(st.characters() | st.sampled_from("\ud800\udc80\udfff"), max_size=8)
"""Any text: names of files may hold what is no UTF-8."""
texts = st.lists(text, max_size=3).map(tuple)
steps = st.lists(text | st.integers(0, 9) | st.builds(Key, text), max_size=4)
source = st.builds(
    Source,
    st.sampled_from(Origin),
    text,
    st.none() | st.builds(Path, steps.map(tuple)),
    st.none() | st.integers(1, 99),
)
subjects = st.builds(WorkloadRef, text, text, text, text)
changes = st.builds(
    PolicyChange,
    kind=st.sampled_from(ChangeKind),
    file=st.just("a.yaml"),
    line=st.integers(1, 99),
    subject=subjects,
    before=text,
    after=text,
    why=text,
    source=st.none() | source,
    policy=text,
    also=texts,
    reasons=st.none() | st.builds(RefusalReasons, texts, texts, texts),
)
fates = st.builds(WorkloadOutcome, st.booleans(), text)
placed = st.builds(ComparedWorkload, st.just("a.yaml"), st.integers(1, 99), subjects, fates, fates)
UNREAD = Finding("input/syntax", Severity.ERROR, "a.yaml", 3, 1, path(), WorkloadRef(), "what", remedy="do")


@given(st.lists(changes, max_size=3), st.lists(placed, max_size=3), st.booleans())
def test_nothing_is_forgotten_on_the_wire(
    changes: list[PolicyChange],
    every: list[ComparedWorkload],
    unread: bool,  # noqa: FBT001  # drawn
) -> None:
    came = [FileResult(tuple(changes), tuple(every), (UNREAD,) if unread else ()), FileResult()]
    assert comparison_wire.file_results(comparison_wire.file_results_bytes(came), ["a.yaml", "b.yaml"]) == came


def test_the_file_is_whoevers_who_decodes() -> None:
    change = PolicyChange(ChangeKind.UID, "a.yaml", 1, WorkloadRef("Pod", "", "x"), "1", "2", "why")
    place = ComparedWorkload("a.yaml", 1, change.subject, WorkloadOutcome(refused=False), WorkloadOutcome(refused=True))
    (found,) = comparison_wire.file_results(
        comparison_wire.file_results_bytes([FileResult((change,), (place,), (UNREAD,))]), ["\udcff.yaml"]
    )
    assert found.changes == (structs.replace(change, file="\udcff.yaml"),)
    assert found.workloads == (structs.replace(place, file="\udcff.yaml"),)
    assert found.unread == (structs.replace(UNREAD, file="\udcff.yaml"),)


def test_more_or_fewer_than_files_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        comparison_wire.file_results(comparison_wire.file_results_bytes([FileResult()]), ["a", "b"])


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91\x90", b"\x91\x93\x91\x01\x90\xc4\x00"])
def test_other_bytes_are_nothing(data: bytes) -> None:
    with pytest.raises(WireError):
        comparison_wire.file_results(data, ["a"])
