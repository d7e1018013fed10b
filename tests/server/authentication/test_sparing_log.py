"""What the log is told of authenticators that fail: seldom enough, and no more than a line."""

from __future__ import annotations

import pytest

from podward.server.authentication.sparing_log import SparingLog


def test_one_line_a_second_is_told_and_no_control_characters(caplog: pytest.LogCaptureFixture) -> None:
    log = SparingLog("issuer x")
    for number in range(50):
        log.tell(f"{number}\n\x1b[31mred" + "x" * 5000)
    assert len(caplog.records) == 1
    said = caplog.records[0].getMessage()
    assert said.startswith("issuer x: 0  [31mred")
    assert len(said) < 1100
