"""What was written stands for what the watch will bring, and not for longer."""

from __future__ import annotations

import ssl

import pytest

from podward.api.json_value import JsonObject
from podward.client.api import Client
from podward.client.connection import Connection
from podward.client.informer import Change, Informer, Informers, key_of
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL


@pytest.fixture
def informer() -> Informer:
    tls = ssl.create_default_context()
    client = Client(Connection("https://nowhere.invalid", tls, tls), "test")
    return Informers(client).of(BY_PLURAL["", "v1", "pods"])


def pod(version: int, uid: str = "u", /, **metadata: object) -> JsonObject:
    return {"metadata": {"namespace": "ns", "name": "p", "uid": uid, "resourceVersion": str(version), **metadata}}  # type: ignore[dict-item]


def tell(informer: Informer, new: JsonObject | None, last: JsonObject | None = None) -> None:
    """What the watch brings."""
    informer._take(key_of(new or last or {}), new, last)  # noqa: SLF001 - there is no server


def version(written: Written) -> object:
    found = written.get("ns", "p")
    listed = [member(each, "metadata")["resourceVersion"] for each in written.items("ns")]
    assert listed == ([] if found is None else [member(found, "metadata")["resourceVersion"]])
    return None if found is None else member(found, "metadata")["resourceVersion"]


def test_the_newer_of_what_was_written_and_what_was_told_counts(informer: Informer) -> None:
    written = Written(informer)
    written.put(pod(5))
    assert version(written) == "5"
    tell(informer, pod(4))
    assert version(written) == "5"
    tell(informer, pod(6))
    assert version(written) == "6"
    written.put(pod(5))
    assert version(written) == "6"


def test_what_was_deleted_is_gone_until_another_one_comes(informer: Informer) -> None:
    written = Written(informer)
    tell(informer, pod(4))
    written.gone(pod(4))
    assert version(written) is None
    tell(informer, pod(5))
    assert version(written) is None
    tell(informer, pod(7, "other"))
    assert version(written) == "7"


@pytest.mark.parametrize(
    ("metadata", "there"),
    [
        ({}, False),
        ({"deletionGracePeriodSeconds": 0}, False),
        ({"deletionGracePeriodSeconds": 30}, True),
        ({"finalizers": ["x/y"]}, True),
    ],
)
def test_what_ends_is_there_as_long_as_something_holds_it(
    informer: Informer,
    metadata: JsonObject,
    there: bool,  # noqa: FBT001 - a table
) -> None:
    written = Written(informer)
    tell(informer, pod(4))
    written.put(pod(5, **{"deletionTimestamp": "2026-01-01T00:00:00Z", **metadata}))
    assert (version(written) == "5") is there


def test_an_answer_that_comes_after_the_end_brings_nothing_back(informer: Informer) -> None:
    written = Written(informer)
    tell(informer, pod(4))
    tell(informer, None, pod(5))
    written.put(pod(4))
    assert version(written) is None


def test_others_changes_are_told_and_own_ones_are_not(informer: Informer) -> None:
    foreign: list[Change] = []
    written = Written(informer, foreign.append)
    written.put(pod(5))
    tell(informer, pod(5))
    assert foreign == []
    tell(informer, pod(6))
    assert len(foreign) == 1
    written.gone(pod(6))
    tell(informer, None, pod(7))
    assert len(foreign) == 1
