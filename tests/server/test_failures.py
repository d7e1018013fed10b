"""What the log tells of a failure."""

from __future__ import annotations

import pytest

from podward.server import failures


def test_the_log_has_the_kind_of_a_failure_and_not_its_text(caplog: pytest.LogCaptureFixture) -> None:
    try:
        try:
            raise KeyError("from a Secret")
        except KeyError as inner:
            raise ValueError("sent by a client") from inner
    except ValueError as error:
        failures.log("audit-id 1: create", error)
    assert "builtins.ValueError, from builtins.KeyError" in caplog.text
    assert "test_failures.py" in caplog.text
    shown = caplog.text.replace('raise ValueError("sent by a client")', "")  # a line of this file
    assert "sent by" not in shown
