"""What is told of PodDisruptionBudgets and their Pods."""

from __future__ import annotations

import pytest
from controllers_at_work import PODS, at_work, created, served, told
from pods_and_nodes import raw_pod

from podward.api.json_value import Json, JsonObject
from podward.client.api import Client
from podward.controllers.disruption import controller
from podward.controllers.disruption.controller import BUDGETS
from podward.documents.raw_fields import member

UID = "00000000-0000-0000-0000-000000000001"


def test_unmanaged_pods_are_told_with_the_selector_and_pods_of_several_budgets_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def work(client: Client) -> None:
        expressions: Json = [{"key": "app", "operator": "In", "values": ["web", "lone"]}]
        for name in ("b", "a"):
            spec: JsonObject = {"maxUnavailable": 1, "selector": {"matchExpressions": expressions}}
            await created(client, BUDGETS, {"metadata": {"name": name}, "spec": spec})
        await told(client, "b", "NoPods")
        await created(client, PODS, raw_pod("lone", labels={"app": "lone"}))
        unmanaged = str((await told(client, "a", "UnmanagedPods"))["message"])
        shown = "LabelSelectorRequirement{Key:app,Operator:In,Values:[web lone],},"
        assert f"MatchExpressions:[]LabelSelectorRequirement{{{shown}}},}})" in unmanaged
        several = await told(client, "lone", "MultiplePodDisruptionBudgets")
        which = 'Pod "default"/"lone" matches multiple PodDisruptionBudgets.  Chose "a" arbitrarily.'
        assert several["message"] == which

    with served(tmp_path_factory) as connection:
        at_work(connection, [controller], work)


def test_a_pod_of_a_kind_that_there_is_not_cannot_be_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def work(client: Client) -> None:
        for version in ("example.com/v1", "apps/v1"):
            name = version.partition("/")[0].partition(".")[0]
            owner: JsonObject = {"apiVersion": version, "kind": "Widget", "name": "w", "uid": UID, "controller": True}
            raw = raw_pod(name, labels={"app": name})
            raw["metadata"] = {**member(raw, "metadata"), "ownerReferences": [owner]}
            await created(client, PODS, raw)
            spec: JsonObject = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
            await created(client, BUDGETS, {"metadata": {"name": name}, "spec": spec})
            message = (await told(client, name, "CalculateExpectedPodCountFailed"))["message"]
            why = f'no matches for kind "Widget" in version "{version}"'
            assert message == f"Failed to calculate the number of expected pods: {why}"

    with served(tmp_path_factory) as connection:
        at_work(connection, [controller], work)
