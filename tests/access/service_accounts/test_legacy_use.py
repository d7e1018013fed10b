"""What is noted of tokens in Secrets."""

from __future__ import annotations

import datetime as dt

import pytest

from podward.access.service_accounts.legacy_use import LAST_USED, noted
from podward.api.json_value import JsonObject

TODAY = dt.date(2027, 2, 28)


@pytest.mark.parametrize(
    ("said", "written"), [("", True), ("2027-02-27", True), ("2027-02-28", False), ("2027-03-01", False)]
)
def test_the_use_is_written_once_a_day(said: str, written: bool) -> None:  # noqa: FBT001 - a row of the table
    labels: JsonObject = {"kept": "yes", **({LAST_USED: said} if said else {})}
    found = noted({"metadata": {"name": "s", "labels": labels}, "data": {"token": "dA=="}}, TODAY)
    wanted = {"metadata": {"name": "s", "labels": {"kept": "yes", LAST_USED: "2027-02-28"}}, "data": {"token": "dA=="}}
    assert found == (wanted if written else None)
