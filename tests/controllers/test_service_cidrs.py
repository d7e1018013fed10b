"""Ranges of Services' addresses: which are needed, and what they say."""

from __future__ import annotations

import pytest
from controllers_at_work import at_work, created, gone, served, until

from podward.api.json_value import JsonObject
from podward.client.api import Client
from podward.controllers import service_cidrs
from podward.controllers.service_cidrs import FINALIZER, RANGES, is_needed
from podward.documents.raw_fields import member, objects


def of(name: str, *cidrs: str) -> JsonObject:
    return {"metadata": {"name": name}, "spec": {"cidrs": [*cidrs]}}


def service(*addresses: str) -> JsonObject:
    return {"spec": {"clusterIPs": [*addresses]}}


MINE = of("mine", "10.1.0.0/24", "fd00::/112")


@pytest.mark.parametrize(
    ("others", "services", "needed"),
    [
        ([], [], False),
        ([], [service("10.1.0.9")], True),
        ([], [service("fd00::9")], True),
        ([], [service("None")], False),
        ([], [service("10.2.0.9")], False),
        ([of("wide", "10.1.0.0/16", "fd00::/64")], [service("10.1.0.9")], False),
        ([of("half", "10.1.0.0/16")], [service("10.1.0.9")], False),
        ([of("half", "10.1.0.0/16")], [service("fd00::9")], True),
        ([of("part", "10.1.0.0/28")], [service("10.1.0.9")], False),
        ([of("part", "10.1.0.0/28")], [service("10.1.0.200")], True),
    ],
)
def test_a_range_is_needed_where_an_address_is_in_it_alone(
    others: list[JsonObject], services: list[JsonObject], *, needed: bool
) -> None:
    assert is_needed(MINE, [MINE, *others], services) is needed


def test_a_range_is_ready_and_goes_when_nobody_needs_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_cidrs, "_GRACE", 1.0)

    async def work(client: Client) -> None:
        await created(client, RANGES, of("extra", "10.77.0.0/24"))
        for name in ("extra", "kubernetes"):
            found = await until(client, RANGES, name, lambda raw: bool(member(raw, "status").get("conditions")))
            (ready,) = objects(member(found, "status"), "conditions")
            told = (ready["type"], ready["status"], ready["message"])
            assert told == ("Ready", "True", "Kubernetes Service CIDR is ready")
            assert member(found, "metadata")["finalizers"] == [FINALIZER]
        await client.delete(RANGES, "", "kubernetes")
        kept = await until(
            client, RANGES, "kubernetes",
            lambda raw: objects(member(raw, "status"), "conditions")[0].get("status") == "False",
        )  # fmt: skip
        assert objects(member(kept, "status"), "conditions")[0]["reason"] == "Terminating"
        await client.delete(RANGES, "", "extra")
        await gone(client, RANGES, "extra")

    with served(tmp_path_factory) as connection:
        at_work(connection, [service_cidrs], work)
