"""`--controllers` means what it means to kube-controller-manager."""

from __future__ import annotations

import pytest

from podward.server.controllers.names import APPROVING, CLEANING, SIGNING, enabled, unknown


@pytest.mark.parametrize(
    ("text", "running"),
    [
        ("*", (APPROVING, SIGNING, CLEANING)),
        ("", ()),
        ("csrsigning", (SIGNING,)),
        ("*,-csrapproving", (SIGNING, CLEANING)),
        (f"{APPROVING},csrcleaner", (APPROVING, CLEANING)),
        ("-csrsigning", ()),
    ],
)
def test_words(text: str, running: tuple[str, ...]) -> None:
    assert enabled(text) == frozenset(running)
    assert unknown(text) == ""


@pytest.mark.parametrize(("text", "odd"), [("deployment", "deployment"), ("*,-nope", "nope"), ("csrsign", "csrsign")])
def test_a_controller_that_there_is_not(text: str, odd: str) -> None:
    assert unknown(text) == odd
