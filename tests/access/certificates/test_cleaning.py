"""When certificate requests are cleaned away."""

from __future__ import annotations

import datetime as dt

import pytest
from certificate_asked import request

from podward.access.certificates.cleaning import is_done
from podward.api.json_value import JsonObject

MADE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "certificate", "hours"),
    [("Denied", "", 1), ("Failed", "", 1), ("Approved", "eA==", 1), ("Approved", "", 24)],
)
def test_a_decided_one_goes_after_a_while(kind: str, certificate: str, hours: int) -> None:
    obj = request("kube-apiserver-client", "client auth", conditions=())
    condition: JsonObject = {"type": kind, "lastUpdateTime": "2026-01-01T00:00:00Z"}
    obj = {**obj, "status": {"conditions": [condition], "certificate": certificate}}
    assert not is_done(obj, MADE + dt.timedelta(hours=hours))
    assert is_done(obj, MADE + dt.timedelta(hours=hours, seconds=1))


def test_one_that_waits_goes_after_a_day() -> None:
    obj = request("kube-apiserver-client", "client auth", conditions=())
    assert not is_done(obj, MADE + dt.timedelta(hours=24))
    assert is_done(obj, MADE + dt.timedelta(hours=25))
