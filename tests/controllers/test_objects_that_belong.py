"""Controllers at work for a real API server: what belongs to an object is made with it, follows it and goes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from controllers_at_work import at_work, created, gone, served, until

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import Connection
from podward.controllers import quotas
from podward.controllers.endpoints import controller as endpoints
from podward.controllers.endpoints import slice_controller
from podward.controllers.garbage import collector
from podward.controllers.jobs import controller as jobs
from podward.controllers.namespaces import controller as namespaces
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

PODS, NODES, MAPS, SERVICES, ENDPOINTS, SPACES, QUOTAS = (
    BY_PLURAL["", "v1", name]
    for name in ("pods", "nodes", "configmaps", "services", "endpoints", "namespaces", "resourcequotas")
)
JOBS, SLICES = BY_PLURAL["batch", "v1", "jobs"], BY_PLURAL["discovery.k8s.io", "v1", "endpointslices"]
CONTAINERS: list[Json] = [{"name": "c", "image": "i"}]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with served(tmp_path_factory) as found:
        yield found


def a_map(name: str, *owners: JsonObject, finalizer: str = "") -> JsonObject:
    references: list[Json] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": member(owner, "metadata")["name"],
            "uid": member(owner, "metadata")["uid"],
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    metadata: JsonObject = {"name": name, "ownerReferences": references}
    if finalizer:
        metadata["finalizers"] = [finalizer]
    return {"metadata": metadata}


async def chain(client: Client, finalizer: str = "") -> None:
    first = await created(client, MAPS, a_map("a"))
    second = await created(client, MAPS, a_map("b", first))
    await created(client, MAPS, a_map("c", second, finalizer=finalizer))


def test_a_pod_of_a_job_that_is_deleted_and_succeeds_at_once_has_succeeded(connection: Connection) -> None:
    async def work(client: Client) -> None:
        template: JsonObject = {"spec": {"restartPolicy": "Never", "nodeName": "n1", "containers": CONTAINERS}}
        await created(client, JOBS, {"metadata": {"name": "ends"}, "spec": {"template": template}})
        await until(client, JOBS, "ends", lambda job: member(job, "status").get("active") == 1)
        listed = await client.list(PODS, "default", "job-name=ends")
        assert not isinstance(listed, Status)
        [pod] = objects(listed, "items")
        name = str(member(pod, "metadata")["name"])
        await client.patch(PODS, "default", name, {"status": {"phase": "Running"}}, PatchKind.MERGE, "status")
        await asyncio.sleep(0.5)
        await client.delete(PODS, "default", name)
        await asyncio.sleep(0.3)
        await client.patch(PODS, "default", name, {"status": {"phase": "Succeeded"}}, PatchKind.MERGE, "status")
        job = await until(client, JOBS, "ends", lambda job: bool(member(job, "status").get("completionTime")))
        assert "failed" not in member(job, "status")

    at_work(connection, [jobs], work)


def test_dependents_go_before_with_or_without_their_owner(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await chain(client)
        await client.delete(MAPS, "default", "a")
        await gone(client, MAPS, "c")
        await chain(client, finalizer="example.org/held")
        await client.delete(MAPS, "default", "a", {"propagationPolicy": "Foreground"})
        await until(client, MAPS, "c", lambda obj: "deletionTimestamp" in member(obj, "metadata"))
        assert not isinstance(await client.get(MAPS, "default", "a"), Status)
        await client.patch(MAPS, "default", "c", {"metadata": {"finalizers": None}})
        await gone(client, MAPS, "a")
        await chain(client)
        await client.delete(MAPS, "default", "a", {"propagationPolicy": "Orphan"})
        await gone(client, MAPS, "a")
        left = await until(client, MAPS, "b", lambda obj: "ownerReferences" not in member(obj, "metadata"))
        assert "deletionTimestamp" not in member(left, "metadata")
        await client.delete(MAPS, "default", "b")
        await gone(client, MAPS, "c")

    at_work(connection, [collector], work)


async def running(client: Client, name: str) -> None:
    metadata: Json = {"name": name, "labels": {"app": "web"}}
    await created(client, PODS, {"metadata": metadata, "spec": {"containers": CONTAINERS}})
    await client.create(PODS, "default", {"metadata": {"name": name}, "target": {"name": "n"}}, "binding", name)
    ready: Json = [{"type": "Ready", "status": "True"}]
    status: JsonObject = {"phase": "Running", "podIP": "10.9.8.7", "podIPs": [{"ip": "10.9.8.7"}], "conditions": ready}
    await client.patch(PODS, "default", name, {"status": status}, PatchKind.MERGE, "status")


def test_a_service_has_the_addresses_of_its_pods(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, NODES, {"metadata": {"name": "n"}})
        ports: Json = [{"port": 80, "targetPort": 8080}]
        spec: Json = {"selector": {"app": "web"}, "ports": ports}
        await created(client, SERVICES, {"metadata": {"name": "s"}, "spec": spec})
        await running(client, "p")
        found = await until(client, ENDPOINTS, "s", lambda obj: bool(objects(obj, "subsets")))
        assert [each["ip"] for each in objects(objects(found, "subsets")[0], "addresses")] == ["10.9.8.7"]
        assert await addresses(client, 1) == [["10.9.8.7"]]
        await client.delete(PODS, "default", "p", {"gracePeriodSeconds": 0})
        assert await addresses(client, 0) == []
        await client.delete(SERVICES, "default", "s")
        await gone(client, ENDPOINTS, "s")

    at_work(connection, [endpoints, slice_controller], work)


async def addresses(client: Client, count: int) -> list[Json]:
    found: list[Json] = []
    for _ in range(100):
        listed = await client.list(SLICES, "default", "kubernetes.io/service-name=s")
        assert not isinstance(listed, Status)
        slices = objects(listed, "items")
        found = [endpoint["addresses"] for each in slices for endpoint in objects(each, "endpoints")]
        if slices and len(found) == count:
            break
        await asyncio.sleep(0.05)
    return found


def test_a_job_counts_each_of_its_pods_once(connection: Connection) -> None:
    async def work(client: Client) -> None:
        template: Json = {"spec": {"restartPolicy": "Never", "containers": CONTAINERS}}
        await created(client, JOBS, {"metadata": {"name": "j"}, "spec": {"completions": 2, "template": template}})
        for _ in range(2):
            name = await new_pod(client)
            await client.patch(PODS, "default", name, {"status": {"phase": "Succeeded"}}, PatchKind.MERGE, "status")
        found = await until(client, JOBS, "j", lambda obj: "completionTime" in member(obj, "status"))
        managers = {each["manager"] for each in objects(member(found, "metadata"), "managedFields")}
        assert managers == {"test", "kube-controller-manager"}
        assert (member(found, "status")["succeeded"], member(found, "status")["uncountedTerminatedPods"]) == (2, {})
        assert [each["type"] for each in objects(member(found, "status"), "conditions")] == [
            "SuccessCriteriaMet",
            "Complete",
        ]
        await client.delete(JOBS, "default", "j", {"propagationPolicy": "Background"})

    at_work(connection, [jobs, collector], work)


async def new_pod(client: Client) -> str:
    for _ in range(100):
        listed = await client.list(PODS, "default", "job-name=j", "status.phase=Pending")
        assert not isinstance(listed, Status)
        for pod in objects(listed, "items"):
            return str(member(pod, "metadata")["name"])
        await asyncio.sleep(0.05)
    raise AssertionError("no Pod")


def test_a_namespace_ends_with_all_that_is_in_it_and_says_what_is_left(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, SPACES, {"metadata": {"name": "x"}})
        held = await client.create(MAPS, "x", a_map("m", finalizer="example.org/held"))
        assert not isinstance(held, Status)
        await client.delete(SPACES, "", "x")
        found = await until(client, SPACES, "x", lambda obj: len(objects(member(obj, "status"), "conditions")) == 5)
        said = {str(each["type"]): each["message"] for each in objects(member(found, "status"), "conditions")}
        assert said["NamespaceContentRemaining"] == (
            "Some resources are remaining: configmaps. has 1 resource instances"
        )
        await created(client, SPACES, {"metadata": {"name": "y"}})
        await client.create(MAPS, "y", a_map("m"))
        await client.delete(SPACES, "", "y")
        await gone(client, SPACES, "y")
        await client.patch(MAPS, "x", "m", {"metadata": {"finalizers": None}})

    at_work(connection, [namespaces], work)


def test_what_is_deleted_is_given_back_to_its_quota(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, SPACES, {"metadata": {"name": "q"}})
        await client.create(QUOTAS, "q", {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "1"}}})
        await used(client, "0")
        assert not isinstance(await client.create(MAPS, "q", a_map("one")), Status)
        await used(client, "1")
        assert isinstance(await client.create(MAPS, "q", a_map("two")), Status)
        await client.delete(MAPS, "q", "one")
        await used(client, "0")

    at_work(connection, [quotas], work)


async def used(client: Client, count: str) -> None:
    found: JsonObject | Status = {}
    for _ in range(100):
        found = await client.get(QUOTAS, "q", "q")
        assert not isinstance(found, Status)
        if member(member(found, "status"), "used").get("configmaps") == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)
