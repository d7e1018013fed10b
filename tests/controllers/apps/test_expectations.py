"""A controller waits for what it has done to be seen."""

from __future__ import annotations

from podward.controllers.apps.expectations import Expectations


def test_nothing_is_awaited_at_first() -> None:
    assert Expectations(lambda: 0.0).fulfilled("ns/web")


def test_creations_are_counted_and_deletions_known() -> None:
    awaited = Expectations(lambda: 0.0)
    awaited.expect("ns/web", 2, ["a"])
    awaited.created("ns/web")
    awaited.deleted("ns/web", "a")
    awaited.deleted("ns/web", "a")
    assert not awaited.fulfilled("ns/web")
    awaited.created("ns/web")
    assert awaited.fulfilled("ns/web")


def test_what_does_not_come_is_forgotten_after_five_minutes() -> None:
    now = [0.0]
    awaited = Expectations(lambda: now[0])
    awaited.expect("ns/web", 1, ())
    now[0] = 299.0
    assert not awaited.fulfilled("ns/web")
    now[0] = 301.0
    assert awaited.fulfilled("ns/web")


def test_the_next_owner_of_a_name_waits_for_nothing() -> None:
    awaited = Expectations(lambda: 0.0)
    awaited.expect("ns/web", 1, ())
    awaited.forget("ns/web")
    assert awaited.fulfilled("ns/web")
