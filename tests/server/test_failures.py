"""What the log tells of a failure."""

from __future__ import annotations

import pytest

from podward.errors import InputError
from podward.server import failures


def _failing() -> None:
    try:
        int("from a Secret")
    except ValueError as inner:
        raise InputError("sent by a client") from inner


def test_the_log_has_the_kind_of_a_failure_and_not_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError) as failed:
        _failing()
    failures.log("audit-id 1: create", failed.value)
    assert "podward.errors.InputError, from builtins.ValueError" in caplog.text
    assert "test_failures.py" in caplog.text
    assert "invalid literal" not in caplog.text
