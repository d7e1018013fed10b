"""The controllers of workloads against our own API server, asked by kubectl; nothing runs, a kubelet is pretended."""

from __future__ import annotations

import asyncio
import subprocess
import sysconfig
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from api_server import Server
from controllers_at_work import NODES, PODS, at_work, created, gone, told, until
from pods_and_nodes import raw_node
from pretended_kubelet import pretending
from workload_samples import template, workload

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import load
from podward.controllers.apps import replica_sets, replication_controllers
from podward.controllers.apps.daemon_sets import controller as daemon_sets
from podward.controllers.apps.deployments import controller as deployments
from podward.controllers.apps.stateful_sets import controller as stateful_sets
from podward.controllers.disruption import controller as disruption
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

SETS, DEPLOYMENTS, DAEMONS, STATEFUL, REVISIONS = (
    BY_PLURAL["apps", "v1", name]
    for name in ("replicasets", "deployments", "daemonsets", "statefulsets", "controllerrevisions")
)
CONTROLLERS, CLAIMS = (BY_PLURAL["", "v1", name] for name in ("replicationcontrollers", "persistentvolumeclaims"))
BUDGETS = BY_PLURAL["policy", "v1", "poddisruptionbudgets"]
MODULES = [replica_sets, replication_controllers, deployments, daemon_sets, stateful_sets, disruption]
Kubectl = Callable[..., Awaitable[str]]


@pytest.fixture(scope="module", name="kubeconfig")
def _kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("server")
    path = directory / "kubeconfig"
    flags = ("--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount,TaintNodesByCondition")
    server = Server(directory, "--kubeconfig", str(path), *flags)
    yield path
    server.process.terminate()
    server.process.communicate()


@pytest.fixture(name="kubectl")
def _kubectl(kubeconfig: Path) -> Kubectl:
    program = Path(sysconfig.get_path("scripts")) / "kubectl"

    def asked(*words: str) -> str:
        done = subprocess.run([program, "--kubeconfig", kubeconfig, *words], capture_output=True, text=True, timeout=60)  # noqa: PLW1510 - told below
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def kubectl(*words: str) -> str:
        return await asyncio.to_thread(asked, *words)

    return kubectl


def working(kubeconfig: Path, work: Callable[[Client], Awaitable[None]]) -> None:
    """Do something while the controllers work and a kubelet is pretended."""

    async def pretended(client: Client) -> None:
        async with pretending(client):
            await work(client)

    at_work(load(str(kubeconfig)), MODULES, pretended)


async def listed(client: Client, resource: Resource, labels: str) -> list[JsonObject]:
    found = await client.list(resource, "default", labels)
    assert not isinstance(found, Status), found
    return objects(found, "items")


async def two(client: Client, labels: str) -> None:
    """Wait until there are two Pods with these labels."""
    for _ in range(200):
        if len(await listed(client, PODS, labels)) == 2:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(await listed(client, PODS, labels))


async def deleted(client: Client, resource: Resource, name: str) -> None:
    await client.delete(resource, "default", name, {"propagationPolicy": "Background"})
    await gone(client, resource, name)


def own(kind: str, name: str, **spec: Json) -> JsonObject:
    """A workload whose Pods have a label of their own."""
    selector: JsonObject = {"matchLabels": {"app": name}}
    found = workload(kind, name, selector=selector, template=template("web:1", app=name), **spec)
    found.pop("status")
    return found


def counts(**wanted: int) -> Callable[[JsonObject], bool]:
    """Whether the status has these numbers, of this generation."""

    def holds(obj: JsonObject) -> bool:
        status, generation = member(obj, "status"), member(obj, "metadata").get("generation")
        seen = status.get("observedGeneration") == generation
        return seen and all((status.get(name) or 0) == count for name, count in wanted.items())

    return holds


def test_a_deployment_is_rolled_out_and_back(kubeconfig: Path, kubectl: Kubectl) -> None:
    async def work(client: Client) -> None:
        await created(client, DEPLOYMENTS, own("Deployment", "web", replicas=3))
        assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=20s")
        await kubectl("set", "image", "deployment/web", "web=web:2")
        assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=20s")
        await kubectl("rollout", "undo", "deployment/web")
        assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=20s")
        history = await kubectl("rollout", "history", "deployment/web")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
        found = await until(client, DEPLOYMENTS, "web", counts(replicas=3, updatedReplicas=3, availableReplicas=3))
        conditions = {each["type"]: each["reason"] for each in objects(member(found, "status"), "conditions")}
        assert conditions == {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
        await deleted(client, DEPLOYMENTS, "web")

    working(kubeconfig, work)


@pytest.mark.parametrize(("resource", "kind"), [(SETS, "ReplicaSet"), (CONTROLLERS, "ReplicationController")])
def test_pods_are_adopted_and_let_go(kubeconfig: Path, resource: Resource, kind: str) -> None:
    async def work(client: Client) -> None:
        name = kind.lower()
        pod: JsonObject = {"metadata": {"name": "orphan", "labels": {"app": name}}, "spec": template()["spec"]}
        await created(client, PODS, pod)
        owner = own(kind, name, replicas=2)
        if kind == "ReplicationController":
            owner |= {"apiVersion": "v1", "spec": {**member(owner, "spec"), "selector": {"app": name}}}
        await created(client, resource, owner)
        await until(client, resource, name, counts(replicas=2, readyReplicas=2))
        adopted = await until(client, PODS, "orphan", lambda obj: bool(member(obj, "metadata").get("ownerReferences")))
        assert objects(member(adopted, "metadata"), "ownerReferences")[0]["kind"] == kind
        await client.patch(PODS, "default", "orphan", {"metadata": {"labels": {"app": "free"}}}, PatchKind.MERGE)
        await until(client, PODS, "orphan", lambda obj: not member(obj, "metadata").get("ownerReferences"))
        await two(client, f"app={name}")
        await deleted(client, resource, name)

    working(kubeconfig, work)


def test_a_refusal_is_told_in_the_servers_words(kubeconfig: Path) -> None:
    async def work(client: Client) -> None:
        quota: JsonObject = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
        await created(
            client,
            BY_PLURAL["", "v1", "resourcequotas"],
            {**quota, "status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}},
        )
        await created(client, SETS, own("ReplicaSet", "full"))
        event = await told(client, "full", "FailedCreate")
        assert str(event["message"]).startswith('Error creating: pods "full-')
        assert "is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in str(
            event["message"]
        )
        found = await until(client, SETS, "full", lambda obj: bool(member(obj, "status").get("conditions")))
        [condition] = objects(member(found, "status"), "conditions")
        assert (condition["type"], condition["reason"]) == ("ReplicaFailure", "FailedCreate")
        await client.delete(BY_PLURAL["", "v1", "resourcequotas"], "default", "none")
        await until(client, SETS, "full", counts(readyReplicas=1))
        await until(client, SETS, "full", lambda obj: not member(obj, "status").get("conditions"))
        await deleted(client, SETS, "full")

    working(kubeconfig, work)


def test_a_daemon_is_on_every_node_that_fits(kubeconfig: Path, kubectl: Kubectl) -> None:
    async def work(client: Client) -> None:
        await created(client, NODES, raw_node("n1"))
        await created(client, NODES, raw_node("n2", labels={"disk": "no"}))
        spec: JsonObject = {**member(template(app="ds"), "spec"), "nodeSelector": {"disk": "ssd"}}
        labels: JsonObject = {"labels": {"app": "ds"}}
        owner = own("DaemonSet", "ds")
        member(owner, "spec").update(template={"metadata": labels, "spec": spec})
        member(owner, "spec").pop("replicas")
        await created(client, DAEMONS, owner)
        await until(client, DAEMONS, "ds", counts(desiredNumberScheduled=0))
        await client.patch(NODES, "", "n1", {"metadata": {"labels": {"disk": "ssd"}}})
        await until(client, DAEMONS, "ds", counts(desiredNumberScheduled=1, numberAvailable=1))
        await kubectl("set", "image", "daemonset/ds", "web=web:2")
        assert "successfully rolled out" in await kubectl("rollout", "status", "daemonset/ds", "--timeout=20s")
        assert len(await listed(client, REVISIONS, "app=ds")) == 2
        await client.patch(NODES, "", "n1", {"metadata": {"labels": {"disk": None}}})
        await until(client, DAEMONS, "ds", counts(desiredNumberScheduled=0, numberMisscheduled=0))
        await deleted(client, DAEMONS, "ds")

    working(kubeconfig, work)


def test_stateful_pods_come_in_order_and_keep_their_claims(kubeconfig: Path, kubectl: Kubectl) -> None:
    async def work(client: Client) -> None:
        storage: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim: JsonObject = {"metadata": {"name": "data"}, "spec": storage}
        await created(
            client, STATEFUL, own("StatefulSet", "ss", replicas=2, serviceName="ss", volumeClaimTemplates=[claim])
        )
        await until(client, STATEFUL, "ss", counts(replicas=2, readyReplicas=2, currentReplicas=2))
        pods = {str(member(each, "metadata")["name"]): each for each in await listed(client, PODS, "app=ss")}
        assert set(pods) == {"ss-0", "ss-1"}
        await kubectl("scale", "statefulset/ss", "--replicas=1")
        await gone(client, PODS, "ss-1")
        assert len(await listed(client, CLAIMS, "app=ss")) == 2
        await kubectl("set", "image", "statefulset/ss", "web=web:2")
        await until(client, STATEFUL, "ss", counts(replicas=1, readyReplicas=1, updatedReplicas=1))
        await until(
            client, PODS, "ss-0", lambda obj: member(obj, "metadata")["uid"] != member(pods["ss-0"], "metadata")["uid"]
        )
        assert (await told(client, "ss", "SuccessfulDelete"))[
            "message"
        ] == "Delete Pod ss-1 in StatefulSet ss successful"
        await deleted(client, STATEFUL, "ss")

    working(kubeconfig, work)


def test_a_budget_counts_what_a_deployment_wishes_for(kubeconfig: Path) -> None:
    async def work(client: Client) -> None:
        spec: JsonObject = {"maxUnavailable": "50%", "selector": {"matchLabels": {"app": "held"}}}
        await created(client, BUDGETS, {"metadata": {"name": "half"}, "spec": spec})
        await created(client, DEPLOYMENTS, own("Deployment", "held", replicas=4))
        await until(client, BUDGETS, "half", counts(expectedPods=4, desiredHealthy=2, disruptionsAllowed=2))
        pods = await listed(client, PODS, "app=held")
        name = str(member(pods[0], "metadata")["name"])
        eviction: JsonObject = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        assert not isinstance(await client.create(PODS, "default", eviction, "eviction", name), Status)
        await client.patch(BUDGETS, "default", "half", {"spec": {"maxUnavailable": 0}})
        await until(client, BUDGETS, "half", counts(currentHealthy=4, desiredHealthy=4, disruptionsAllowed=0))
        name = str(member(pods[1], "metadata")["name"])
        eviction["metadata"] = {"name": name}
        refused = await client.create(PODS, "default", eviction, "eviction", name)
        assert isinstance(refused, Status)
        assert (refused.code, refused.message) == (
            429,
            "Cannot evict pod as it would violate the pod's disruption budget.",
        )
        assert refused.details is not None
        assert refused.details.retry_after_seconds == 0
        assert [cause.message for cause in refused.details.causes] == [
            "The disruption budget half needs 4 healthy pods and has 4 currently"
        ]
        await deleted(client, DEPLOYMENTS, "held")
        await deleted(client, BUDGETS, "half")

    working(kubeconfig, work)
