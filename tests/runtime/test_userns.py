"""The ranges of Pods with user namespaces: above the machine's own ids, or out of a user's."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.cri import IDMapping
from podward.errors import NodeError
from podward.runtime import machine, userns


def in_namespace(monkeypatch: pytest.MonkeyPatch, *lines: tuple[int, int, int]) -> userns.Slots:
    monkeypatch.setattr(machine, "id_map", lambda _: lines)
    return userns.slots()


def test_the_machines_first_range_is_above_its_own_ids() -> None:
    machines = userns.Slots(range(1, 9))
    assert machines.range_of(machines.lowest_free(set())) == IDMapping(0, 65536, 65536)
    assert machines.lowest_free({1, 2, 4}) == 3


@pytest.mark.parametrize(
    ("count", "first"),
    [(65536, [1]), (131071, [1]), (131072, [65537, 1]), (200000, [65537, 131073, 1])],
)
def test_a_users_ranges_leave_the_ids_of_his_other_pods_alone_where_they_can(
    monkeypatch: pytest.MonkeyPatch, count: int, first: list[int]
) -> None:
    there = in_namespace(monkeypatch, (0, 1000, 1), (1, 100_000, count))
    assert [there.range_of(number).host_id for number in there.numbers] == first


def test_who_has_too_few_ids_is_told_how_many_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    there = in_namespace(monkeypatch, (0, 1000, 1), (1, 100_000, 65535))
    with pytest.raises(NodeError, match="no user namespace range is left") as error:
        there.lowest_free(set())
    assert "65536 ids" in error.value.advice


@given(st.integers(1, 10), st.integers(0, 65535))
def test_ranges_never_overlap_nor_leave_the_map(whole: int, more: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        there = in_namespace(monkeypatch, (0, 1000, 1), (1, 100_000, whole * 65536 + more))
    starts = sorted(there.range_of(number).host_id for number in there.numbers)
    assert all(later - earlier >= 65536 for earlier, later in pairwise(starts))
    assert starts[0] >= 1
    assert starts[-1] + 65536 <= 1 + whole * 65536 + more
