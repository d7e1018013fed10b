"""DeploymentConfigs against our own API server of OpenShift: rolled out, refused by the constraints, begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from controllers_at_work import EVENTS, PODS, at_work
from openshift_server import of, openshift_server
from pretended_kubelet import pretending

from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import load
from podward.controllers.apps import replication_controllers
from podward.controllers.apps.ownership import annotations_of, name_of
from podward.controllers.context import ControllerOptions
from podward.controllers.deployment_configs import controller as deployment_configs
from podward.controllers.deployment_configs.controller import CONFIGS, CONTROLLERS
from podward.controllers.deployment_configs.rollouts import CANCELLED, PHASE, REASON
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

CONSTRAINTS = Resource(
    "security.openshift.io", "v1", "SecurityContextConstraints", "securitycontextconstraints", "", False, "",
    GroupVersion("security.openshift.io", "v1"),
)  # fmt: skip
APPS, NAMESPACE = "apps.openshift.io/v1", "monitor"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:new-sa"
CONSTRAINT: JsonObject = of(
    "security.openshift.io/v1", "SecurityContextConstraints", "new-scc",
    allowHostDirVolumePlugin=True, allowHostIPC=False, allowHostNetwork=False, allowHostPID=False, allowHostPorts=False,
    allowPrivilegedContainer=False, readOnlyRootFilesystem=False, volumes=["*"], users=[ACCOUNT],
    runAsUser={"type": "RunAsAny"}, seLinuxContext={"type": "RunAsAny"}, fsGroup={"type": "RunAsAny"},
    supplementalGroups={"type": "RunAsAny"},
)  # fmt: skip


@pytest.fixture(scope="module", name="kubeconfig")
def _kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("server")
    path = directory / "kubeconfig"
    with openshift_server(directory, "--kubeconfig", str(path), "--authorization-mode", "RBAC"):
        yield path


async def made(client: Client, resource: Resource, obj: JsonObject, namespace: str = NAMESPACE) -> JsonObject:
    found = await client.create(resource, namespace if resource.namespaced else "", obj)
    assert not isinstance(found, Status), found
    return found


async def some(
    client: Client, resource: Resource, holds: Callable[[JsonObject], bool], namespace: str = NAMESPACE
) -> JsonObject:
    """The first object of the namespace of which this holds, as soon as there is one."""
    for _ in range(300):
        listed = await client.list(resource, namespace)
        assert not isinstance(listed, Status), listed
        found = next(filter(holds, objects(listed, "items")), None)
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"none of the {resource.plural} is as it should be")


def named(name: str, holds: Callable[[JsonObject], bool]) -> Callable[[JsonObject], bool]:
    return lambda obj: name_of(obj) == name and holds(obj)


def rolled_out(version: int) -> Callable[[JsonObject], bool]:
    def holds(obj: JsonObject) -> bool:
        status = member(obj, "status")
        reasons = [each.get("reason") for each in objects(status, "conditions")]
        done = "NewReplicationControllerAvailable" in reasons and status.get("latestVersion") == version
        return done and status.get("readyReplicas") == 1 and status.get("updatedReplicas") == 1

    return named("centos", holds)


def refused(event: JsonObject) -> bool:
    about = member(event, "involvedObject")
    return about.get("name") == "centos-1" and event.get("reason") == "FailedCreate"


async def rolling_out(client: Client) -> None:
    annotations = {
        "openshift.io/sa.scc.uid-range": "1000230000/10000",
        "openshift.io/sa.scc.supplemental-groups": "1000230000/10000",
        "openshift.io/sa.scc.mcs": "s0:c15,c10",
    }
    await made(
        client, BY_PLURAL["", "v1", "namespaces"], {"metadata": {"name": NAMESPACE, "annotations": {**annotations}}}
    )
    await made(client, BY_PLURAL["", "v1", "serviceaccounts"], {"metadata": {"name": "new-sa"}})
    await made(client, CONSTRAINTS, CONSTRAINT)
    container: JsonObject = {"name": "c", "image": "centos:v2", "securityContext": {"runAsUser": 1000}}
    spec: JsonObject = {"serviceAccountName": "new-sa", "containers": [container]}
    pod: JsonObject = {"metadata": {"labels": {"busybox": "true"}}, "spec": spec}
    await made(client, CONFIGS, of(APPS, "DeploymentConfig", "centos", spec={"replicas": 1, "template": pod}))
    await some(client, CONFIGS, rolled_out(1))
    running = await some(client, PODS, lambda _: True)
    assert annotations_of(running)["openshift.io/scc"] == "new-scc"

    held: JsonObject = {"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 3000, "uidRangeMax": 4000}}
    await client.patch(CONSTRAINTS, "", "new-scc", held)
    await client.delete(PODS, NAMESPACE, name_of(running))
    message = str((await some(client, EVENTS, refused))["message"])
    assert message.startswith(
        'Error creating: pods "centos-1-" is forbidden: unable to validate against any security context constraint: ['
    )
    assert (
        "provider new-scc: .containers[0].runAsUser: Invalid value: 1000: must be in the ranges: [3000, 4000]"
        in message
    )

    await client.patch(CONSTRAINTS, "", "new-scc", {"runAsUser": {"type": "RunAsAny"}})
    request: JsonObject = {
        "kind": "DeploymentRequest",
        "apiVersion": APPS,
        "name": "centos",
        "latest": True,
        "force": True,
    }
    begun = await client.create(CONFIGS, NAMESPACE, request, "instantiate", "centos")
    assert not isinstance(begun, Status), begun
    await some(client, CONFIGS, rolled_out(2))
    await some(client, CONTROLLERS, named("centos-1", lambda obj: member(obj, "spec")["replicas"] == 0))


def test_a_config_is_rolled_out_until_the_constraints_refuse_its_pods(kubeconfig: Path) -> None:
    async def work(client: Client) -> None:
        async with pretending(client):
            await rolling_out(client)

    modules = [replication_controllers, deployment_configs]
    at_work(load(str(kubeconfig)), modules, work, ControllerOptions(openshift=True))


HOOKED, ROLLED = "hooked", "rolled"
RANGES: JsonObject = {
    "openshift.io/sa.scc.uid-range": "1000240000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000240000/10000",
    "openshift.io/sa.scc.mcs": "s0:c16,c0",
}


def phase(name: str, expected: str) -> Callable[[JsonObject], bool]:
    return named(name, lambda obj: annotations_of(obj)[PHASE] == expected)


def with_hook(name: str, policy: str, **rights: Json) -> JsonObject:
    """A config whose pre hook is done by the container `c`, which has these rights."""
    container: JsonObject = {"name": "c", "image": "web:1", "securityContext": {**rights}}
    pod: JsonObject = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    hook: JsonObject = {"failurePolicy": policy, "execNewPod": {"command": ["migrate"], "containerName": "c"}}
    strategy: JsonObject = {"type": "Recreate", "recreateParams": {"pre": hook}}
    return of(APPS, "DeploymentConfig", name, spec={"replicas": 1, "template": pod, "strategy": strategy})


async def ended(client: Client, pod: str, as_what: str, namespace: str = HOOKED) -> None:
    """What a kubelet tells of a Pod that has ended."""
    await some(client, PODS, named(pod, lambda obj: member(obj, "status").get("phase") == "Running"), namespace)
    status: JsonObject = {"status": {"phase": as_what, "message": "why"}}
    assert not isinstance(await client.patch(PODS, namespace, pod, status, PatchKind.STRATEGIC, "status"), Status)


async def hooks(client: Client) -> None:
    document: JsonObject = {"metadata": {"name": HOOKED, "annotations": RANGES}}
    await made(client, BY_PLURAL["", "v1", "namespaces"], document)
    await made(client, BY_PLURAL["", "v1", "serviceaccounts"], {"metadata": {"name": "default"}}, HOOKED)
    for name, policy in (("done", "Abort"), ("fails", "Abort"), ("cancelled", "Retry")):
        await made(client, CONFIGS, with_hook(name, policy), HOOKED)

    await ended(client, "done-1-hook-pre", "Succeeded")
    await some(client, CONTROLLERS, phase("done-1", "Complete"), HOOKED)
    hook = await some(client, PODS, named("done-1-hook-pre", lambda _: True), HOOKED)
    assert annotations_of(hook)["openshift.io/scc"] == "restricted-v2"

    await ended(client, "fails-1-hook-pre", "Failed")
    failed = await some(client, CONTROLLERS, phase("fails-1", "Failed"), HOOKED)
    assert str(annotations_of(failed)[REASON]).startswith("pre hook failed: the pre hook failed: why, aborting")

    await some(client, PODS, named("cancelled-1-hook-pre", lambda _: True), HOOKED)
    annotations: JsonObject = {"metadata": {"annotations": {CANCELLED: "true"}}}
    await client.patch(CONTROLLERS, HOOKED, "cancelled-1", annotations)
    await some(client, CONTROLLERS, phase("cancelled-1", "Failed"), HOOKED)
    await gone(client, "cancelled-1-hook-pre")

    await made(client, CONFIGS, with_hook("refused", "Abort", privileged=True), HOOKED)
    failed = await some(client, CONTROLLERS, phase("refused-1", "Failed"), HOOKED)
    why = 'couldn\'t create lifecycle pod for refused-1: pods "refused-1-hook-pre" is forbidden: unable to validate'
    assert why in str(annotations_of(failed)[REASON])


async def custom(client: Client) -> None:
    document: JsonObject = {"metadata": {"name": ROLLED, "annotations": RANGES}}
    await made(client, BY_PLURAL["", "v1", "namespaces"], document)
    config = with_hook("own", "Abort")
    member(config, "spec")["strategy"] = {"type": "Custom", "customParams": {"image": "roll:1"}}
    await made(client, CONFIGS, config, ROLLED)

    await ended(client, "own-1-deploy", "Succeeded", ROLLED)
    await some(client, CONTROLLERS, phase("own-1", "Complete"), ROLLED)
    pod = await some(client, PODS, named("own-1-deploy", lambda _: True), ROLLED)
    assert member(pod, "spec")["serviceAccountName"] == "deployer"
    assert annotations_of(pod)["openshift.io/scc"] == "restricted-v2"
    asked: JsonObject = {"namespace": ROLLED, "verb": "update", "resource": "replicationcontrollers", "name": "own-1"}
    review: JsonObject = {"spec": {"user": f"system:serviceaccount:{ROLLED}:deployer", "resourceAttributes": asked}}
    answer = await client.create(BY_PLURAL["authorization.k8s.io", "v1", "subjectaccessreviews"], "", review)
    assert not isinstance(answer, Status), answer
    assert member(answer, "status")["allowed"] is True


async def gone(client: Client, pod: str) -> None:
    for _ in range(300):
        found = await client.get(PODS, HOOKED, pod)
        if isinstance(found, Status) and found.code == 404:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{pod} is left")


def test_a_rollout_is_what_its_hook_makes_of_it(kubeconfig: Path) -> None:
    async def work(client: Client) -> None:
        async with pretending(client):
            await hooks(client)

    modules = [replication_controllers, deployment_configs]
    at_work(load(str(kubeconfig)), modules, work, ControllerOptions(openshift=True))


def test_a_custom_strategy_has_a_pod_that_may_roll_out_its_namespace(kubeconfig: Path) -> None:
    async def work(client: Client) -> None:
        async with pretending(client):
            await custom(client)

    modules = [replication_controllers, deployment_configs]
    at_work(load(str(kubeconfig)), modules, work, ControllerOptions(openshift=True))
