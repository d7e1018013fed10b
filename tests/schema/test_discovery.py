"""Discovery, and with it the table of resources, against what a real API server answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podward.api.resource import GroupVersion
from podward.schema import discovery
from podward.schema.resources import BY_KIND, BY_PLURAL, RESOURCES

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("discovery.json").read_text())
"""Answers of a real API server, by path."""


@pytest.mark.parametrize("of", ["v1", "apps/v1", "autoscaling/v2"])
def test_lists_the_resources_of_a_version(of: str) -> None:
    path = f"/apis/{of}" if "/" in of else f"/api/{of}"
    assert discovery.resource_list(GroupVersion.parse(of), RESOURCES) == RECORDED[path]


def test_tells_a_group() -> None:
    assert discovery.group("batch", RESOURCES) == RECORDED["/apis/batch"]


def test_prefers_the_version_that_stands_first() -> None:
    found = discovery.group("autoscaling", RESOURCES)
    assert found is not None
    assert found["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}


def test_tells_all_at_once() -> None:
    assert discovery.aggregated(RESOURCES, core=True) == RECORDED["/api aggregated"]
    assert discovery.aggregated(RESOURCES, core=False) == RECORDED["/apis aggregated"]


def test_tells_the_versions_of_the_core_group_and_where_they_are() -> None:
    found = discovery.api_versions("127.0.0.1:6443")
    assert found.pop("serverAddressByClientCIDRs") == [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}]
    assert found == RECORDED["/api"]


def test_names_every_group_but_the_core_one() -> None:
    groups = discovery.group_list(RESOURCES)["groups"]
    assert isinstance(groups, list)
    assert [group["name"] for group in groups if isinstance(group, dict)] == [
        item["metadata"]["name"] for item in RECORDED["/apis aggregated"]["items"]
    ]


def test_knows_no_group_and_no_version_that_is_not_served() -> None:
    assert discovery.group("nope", RESOURCES) is None
    assert discovery.resource_list(GroupVersion("apps", "v9"), RESOURCES) is None


def test_finds_resources_by_path_and_by_kind() -> None:
    deployments = BY_PLURAL["apps", "v1", "deployments"]
    assert BY_KIND["apps/v1", "Deployment"] is deployments
    assert (deployments.qualified, deployments.list_kind) == ("deployments.apps", "DeploymentList")
    assert not BY_KIND["v1", "Binding"].is_stored


def test_stores_both_groups_events_as_one() -> None:
    core, events = BY_PLURAL["", "v1", "events"], BY_PLURAL["events.k8s.io", "v1", "events"]
    assert events.stored == core.stored == core.group_version
