"""Durations are read and written as Go does it."""

from __future__ import annotations

import pytest

from podward.api.go_duration import seconds_of, text_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m0s", 300.0), ("30s", 30.0), ("1h2m3.5s", 3723.5), ("300ms", 0.3), ("-1s", -1.0), ("0", 0.0), (".5s", 0.5)],
)
def test_a_duration(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1 s", "--1s", "1s1", "9" * 101 + "s"])
def test_what_is_none(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(("seconds", "text"), [(300, "5m0s"), (30, "30s"), (3600, "1h0m0s"), (0.3, "300ms"), (0, "0s")])
def test_go_writes_it_so(seconds: float, text: str) -> None:
    assert text_of(seconds) == text
