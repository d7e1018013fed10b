"""Whatever can be wrong with a workload keeps it from being known to be valid; what is right beside it does not."""

from __future__ import annotations

from typing import Any

import pytest
from changed_workloads import document, known_sources

from podward.errors import InputError
from podward.schema.workload import pod_sources
from podward.stages.admission.order import by_registry

Raw = dict[str, Any]

KEY = {"secretKeyRef": {"name": "s", "key": "k"}}
CONFIG = {"configMapKeyRef": {"name": "s", "key": "k"}}
FIELD = {"fieldRef": {"fieldPath": "metadata.name"}}
CPU = {"resourceFieldRef": {"resource": "limits.cpu"}}
GET, CONNECT, CALL, RUN = (
    {"httpGet": {"port": 80}},
    {"tcpSocket": {"port": 80}},
    {"grpc": {"port": 80}},
    {"command": ["a"]},
)
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
EPHEMERAL = {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}
TOKEN = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
EMPTY: Raw = {"name": "v", "emptyDir": {}}
MOUNT = {"name": "v", "mountPath": "/a"}
PORT, TAKEN = {"containerPort": 1}, {"containerPort": 1, "hostPort": 1}
PORTS = {"ports": [PORT]}
SPREAD: Raw = {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}
SYSCTL = {"name": "net.ipv4.tcp_syncookies", "value": "1"}


def pod(container: Raw | None = None, metadata: Raw | None = None, others: tuple[Raw, ...] = (), **spec: Any) -> Raw:  # noqa: ANN401
    """A Pod with one container that has these fields, and others beside it."""
    containers = [{"name": "app", "image": "a:1", **(container or {})}, *({"image": "b", **other} for other in others)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **(metadata or {})}} | {
        "spec": {"containers": containers, **spec}
    }


def of_kind(kind: str, version: str, pod_spec: Raw, **spec: Any) -> Raw:  # noqa: ANN401
    """A workload with this Pod."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "w"}} | {
        "spec": {"template": {"spec": pod_spec["spec"]}, **spec}
    }


def context(**fields: Any) -> Raw:  # noqa: ANN401
    return pod({"securityContext": fields})


def pod_context(**fields: Any) -> Raw:  # noqa: ANN401
    return pod(securityContext=fields)


def env(*variables: Raw) -> Raw:
    return pod({"env": list(variables)})


def taken_from(*sources: Raw) -> Raw:
    """A variable from these sources at once."""
    together: Raw = {}
    for source in sources:
        together |= source
    return env({"name": "A", "valueFrom": together})


def volume(*volumes: Raw) -> Raw:
    return pod(volumes=list(volumes))


def mounted(*mounts: Raw, **container: Any) -> Raw:  # noqa: ANN401
    return pod({"volumeMounts": list(mounts), **container}, volumes=[EMPTY])


def probe(*actions: Raw, kind: str = "readinessProbe", **fields: Any) -> Raw:  # noqa: ANN401
    together: Raw = dict(fields)
    for action in actions:
        together |= action
    return pod({kind: together})


def hook(*actions: Raw, **spec: Any) -> Raw:  # noqa: ANN401
    together: Raw = {}
    for action in actions:
        together |= action
    return pod({"lifecycle": {"preStop": together}}, **spec)


def resources(limits: Raw, requests: Raw | None = None) -> Raw:
    return pod({"resources": {"limits": limits, "requests": requests or {}}})


def ports(*written: Raw, **spec: Any) -> Raw:  # noqa: ANN401
    return pod({"ports": list(written)}, **spec)


def annotated(key: str, value: str) -> Raw:
    return pod(metadata={"annotations": {key: value}})


def toleration(**fields: Any) -> Raw:  # noqa: ANN401
    return pod(tolerations=[fields])


def projected(*sources: Raw) -> Raw:
    return pod(volumes=[{"name": "v", "projected": {"sources": list(sources)}}], serviceAccountName="a")


def init(**container: Any) -> Raw:  # noqa: ANN401
    return pod(initContainers=[{"name": "begin", "image": "b", **container}])


def template() -> Raw:
    """Of a Pod that ends."""
    return {"spec": pod(restartPolicy="Never")["spec"]}


def claim(name: object, **fields: Any) -> Raw:  # noqa: ANN401
    return {"metadata": {"name": name}, **fields}


PROFILE = {"type": "Localhost", "localhostProfile": "a"}
SOUND: dict[str, Raw] = {
    "least": pod(),
    "localhost": context(seccompProfile=PROFILE, appArmorProfile=PROFILE),
    "escalation": context(privileged=True, allowPrivilegeEscalation=True, capabilities={"add": ["CAP_SYS_ADMIN"]}),
    "unmasked": pod({"securityContext": {"procMount": "Unmasked"}}, hostUsers=False),
    "sysctl": pod_context(sysctls=[SYSCTL]),
    "key": taken_from(KEY),
    "config": taken_from(CONFIG),
    "field": taken_from(FIELD),
    "cpu": taken_from(CPU),
    "get": probe(GET),
    "port's name": probe({"tcpSocket": {"port": "http"}}),
    "call": probe(CALL, successThreshold=2),
    "hook": hook({"sleep": {"seconds": 30}}),
    "long sleep": hook({"sleep": {"seconds": 40}}, terminationGracePeriodSeconds=40),
    "mount": mounted(MOUNT),
    "propagation": mounted({**MOUNT, "mountPropagation": "Bidirectional"}, securityContext={"privileged": True}),
    "gpu": resources({"nvidia.com/gpu": 1}),
    "huge pages": resources({"hugepages-2Mi": "4Mi", "cpu": 1}),
    "ephemeral": volume(EPHEMERAL, {"name": "w", "persistentVolumeClaim": {"claimName": "p-w"}}),
    "token": pod(volumes=[TOKEN], serviceAccountName="a"),
    "old account": pod(volumes=[TOKEN], serviceAccount="a"),
    "sidecar": init(restartPolicy="Always", livenessProbe=CONNECT, lifecycle={}),
    "init port": pod(
        {"ports": [TAKEN]}, hostNetwork=True, initContainers=[{"name": "b", "image": "b", "ports": [TAKEN]}]
    ),
    "same port twice": ports(TAKEN, {**TAKEN, "protocol": "UDP"}),
    "two addresses": ports(TAKEN, {**TAKEN, "hostIP": "127.0.0.1"}),
    "own port of many": ports({"containerPort": 1}, {"containerPort": 1}),
    "shared processes": pod(shareProcessNamespace=True),
    "tolerates all": toleration(operator="Exists"),
    "CronJob": {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}}
    | {"spec": {"jobTemplate": {"spec": {"podFailurePolicy": {}, "template": template()}}}},
    "made name": {**pod(), "metadata": {"generateName": "made-"}},
    "ports of the node": ports(TAKEN, hostNetwork=True),
    "claims": of_kind(
        "StatefulSet", "apps/v1", mounted({"name": "a", "mountPath": "/a"}), volumeClaimTemplates=[claim("a")]
    ),
}  # fmt: skip

REFUSED: dict[str, Raw] = {
    "privileged but no escalation": context(privileged=True, allowPrivilegeEscalation=False),
    "admin but no escalation": context(allowPrivilegeEscalation=False, capabilities={"add": ["CAP_SYS_ADMIN"]}),
    "seccomp absolute": context(seccompProfile={"type": "Localhost", "localhostProfile": "/a"}),
    "seccomp up": context(seccompProfile={"type": "Localhost", "localhostProfile": "a/../b"}),
    "seccomp unnamed": context(seccompProfile={"type": "Localhost"}),
    "seccomp named": context(seccompProfile={"type": "Unconfined", "localhostProfile": "a"}),
    "seccomp unknown": context(seccompProfile={"type": "unconfined"}),
    "AppArmor padded": context(appArmorProfile={"type": "Localhost", "localhostProfile": "a "}),
    "AppArmor unnamed": context(appArmorProfile={"type": "Localhost"}),
    "AppArmor empty": context(appArmorProfile={"type": "Localhost", "localhostProfile": ""}),
    "AppArmor too long": context(appArmorProfile={"type": "Localhost", "localhostProfile": "a" * 4096}),
    "Pod seccomp unnamed": pod_context(seccompProfile={"type": "Localhost"}),
    "Pod AppArmor unnamed": pod_context(appArmorProfile={"type": "Localhost"}),
    "unmasked with the node's users": context(procMount="Unmasked"),
    "masked otherwise": context(procMount="default"),
    "user": context(runAsUser=-1),
    "group": pod_context(supplementalGroups=[1 << 31]),
    "change policy": pod_context(fsGroupChangePolicy="Never"),
    "groups policy": pod_context(supplementalGroupsPolicy="merge"),
    "label change policy": pod_context(seLinuxChangePolicy="MountOption"),
    "sysctl twice": pod_context(sysctls=[SYSCTL, SYSCTL]),
    "sysctl name": pod_context(sysctls=[{"name": "Net", "value": "1"}]),
    "sysctl of the node's network": pod(securityContext={"sysctls": [SYSCTL]}, hostNetwork=True),
    "sysctl of the node's IPC": pod(securityContext={"sysctls": [{**SYSCTL, "name": "kernel.sem"}]}, hostIPC=True),
    "get and run": probe(GET, {"exec": RUN}),
    "get and connect": probe(GET, CONNECT),
    "get and call": probe(GET, CALL),
    "connect and run": probe(CONNECT, {"exec": RUN}),
    "connect and call": probe(CONNECT, CALL),
    "run and call": probe({"exec": RUN}, CALL),
    "no action": probe(periodSeconds=1),
    "no command": probe({"exec": {"command": []}}),
    "port's name": probe({"httpGet": {"port": "a--b"}}),
    "other port's name": probe({"tcpSocket": {"port": "-"}}),
    "port's number": probe({"tcpSocket": {"port": 65536}}),
    "scheme": probe({"httpGet": {"port": 80, "scheme": "http"}}),
    "header": probe({"httpGet": {"port": 80, "httpHeaders": [{"name": "X_Y", "value": ""}]}}),
    "alive twice": probe(GET, kind="livenessProbe", successThreshold=2),
    "started twice": probe(GET, kind="startupProbe", successThreshold=2),
    "ready with time to end": probe(GET, terminationGracePeriodSeconds=1),
    "no time to end": probe(GET, kind="livenessProbe", terminationGracePeriodSeconds=0),
    "negative time": probe(GET, timeoutSeconds=-1),
    "liveness": probe({"httpGet": {"port": 0}}, kind="livenessProbe"),
    "startup": probe({}, kind="startupProbe"),
    "no hook": hook({}),
    "two hooks": hook({"exec": RUN}, {"sleep": {"seconds": 1}}),
    "hook's port": hook({"httpGet": {"port": "-"}}),
    "hook's other port": hook({"tcpSocket": {"port": "-"}}),
    "sleeps too long": hook({"sleep": {"seconds": 31}}),
    "sleeps longer than it has": hook({"sleep": {"seconds": 6}}, terminationGracePeriodSeconds=5),
    "start hook": pod({"lifecycle": {"postStart": {}}}),
    "variable unnamed": env({"name": ""}),
    "variable with an equals sign": env({"name": "A=B"}),
    "variable beyond ASCII": env({"name": "É"}),
    "variable of two lines": env({"name": "A\nB"}),
    "variable with value and source": env({"name": "A", "value": "a", "valueFrom": KEY}),
    "variable from nowhere": taken_from(),
    "key and config": taken_from(KEY, CONFIG),
    "config and field": taken_from(CONFIG, FIELD),
    "config and resource": taken_from(CONFIG, CPU),
    "key and field": taken_from(KEY, FIELD),
    "key and resource": taken_from(KEY, CPU),
    "field and resource": taken_from(FIELD, CPU),
    "key's object": taken_from({"secretKeyRef": {"name": "-", "key": "k"}}),
    "key missing": taken_from({"secretKeyRef": {"name": "s", "key": ""}}),
    "key too long": taken_from({"secretKeyRef": {"name": "s", "key": "a" * 254}}),
    "key's characters": taken_from({"secretKeyRef": {"name": "s", "key": "a/b"}}),
    "key of one dot": taken_from({"secretKeyRef": {"name": "s", "key": "."}}),
    "key of dots": taken_from({"secretKeyRef": {"name": "s", "key": "..a"}}),
    "field unknown": taken_from({"fieldRef": {"fieldPath": "metadata.nothing"}}),
    "label of a field": taken_from({"fieldRef": {"fieldPath": "metadata.labels['-']"}}),
    "resource unknown": taken_from({"resourceFieldRef": {"resource": "cpu"}}),
    "divisor": taken_from({"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}),
    "prefix": pod({"envFrom": [{"prefix": "a=", "secretRef": {"name": "s"}}]}),
    "prefix beyond ASCII": pod({"envFrom": [{"prefix": "é", "secretRef": {"name": "s"}}]}),
    "prefix of two lines": pod({"envFrom": [{"prefix": "a\n", "secretRef": {"name": "s"}}]}),
    "both objects": pod({"envFrom": [{"configMapRef": {"name": "s"}, "secretRef": {"name": "s"}}]}),
    "no object": pod({"envFrom": [{}]}),
    "object's name": pod({"envFrom": [{"secretRef": {"name": "-"}}]}),
    "unnamed volume": volume({"name": "", "emptyDir": {}}),
    "volume's name": volume({"name": "a.b", "emptyDir": {}}),
    "volume twice": volume(EMPTY, EMPTY),
    "two sources": volume({**EMPTY, "hostPath": {"path": "/"}}),
    "three sources": volume({**EMPTY, "hostPath": {"path": "/"}, "nfs": {"server": "a", "path": "/"}}),
    "config unnamed": volume({"name": "v", "configMap": {"name": ""}}),
    "config's item": volume({"name": "v", "configMap": {"name": "c", "items": [{"key": "", "path": "a"}]}}),
    "config's path": volume({"name": "v", "configMap": {"name": "c", "items": [{"key": "a", "path": "/a"}]}}),
    "config's mode": volume({"name": "v", "configMap": {"name": "c", "defaultMode": 0o1000}}),
    "secret unnamed": volume({"name": "v", "secret": {"secretName": ""}}),
    "secret's item": volume({"name": "v", "secret": {"secretName": "c", "items": [{"key": "a", "path": "../a"}]}}),
    "secret's path": volume({"name": "v", "secret": {"secretName": "c", "items": [{"key": "a", "path": ""}]}}),
    "claim unnamed": volume({"name": "v", "persistentVolumeClaim": {"claimName": ""}}),
    "node's path": volume({"name": "v", "hostPath": {"path": ""}}),
    "node's path up": volume({"name": "v", "hostPath": {"path": "/a/../b"}}),
    "node's path of no kind": volume({"name": "v", "hostPath": {"path": "/", "type": "directory"}}),
    "size below nothing": volume({"name": "v", "emptyDir": {"sizeLimit": "-1"}}),
    "nfs": volume({"name": "v", "nfs": {"server": "a", "path": "a"}}),
    "csi": volume({"name": "v", "csi": {"driver": ""}}),
    "csi of another type": volume({"name": "v", "csi": {"driver": "a", "unknown": 1}}),
    "ephemeral": volume({"name": "v", "ephemeral": {}}),
    "ephemeral's name": pod(metadata={"name": "p" * 253}, volumes=[EPHEMERAL]),
    "ephemeral's claim": volume(EPHEMERAL, {"name": "w", "persistentVolumeClaim": {"claimName": "p-v"}}),
    "token's time": projected({"serviceAccountToken": {"path": "a", "expirationSeconds": 1}}),
    "projected twice": projected({"configMap": {"name": "a"}, "secret": {"name": "a"}}),
    "fields": volume({"name": "v", "downwardAPI": {"items": [{"path": "a"}]}}),
    "mount of nothing": mounted({"name": "w", "mountPath": "/a"}),
    "mount nowhere": mounted({"name": "v", "mountPath": ""}),
    "two mounts": mounted(MOUNT, MOUNT),
    "absolute part": mounted({**MOUNT, "subPath": "/a"}),
    "part up": mounted({**MOUNT, "subPath": "../a"}),
    "part twice": mounted({**MOUNT, "subPath": "a", "subPathExpr": "a"}),
    "absolute expression": mounted({**MOUNT, "subPathExpr": "/a"}),
    "propagation": mounted({**MOUNT, "mountPropagation": "Bidirectional"}),
    "propagation unprivileged": mounted({**MOUNT, "mountPropagation": "Bidirectional"}, securityContext={}),
    "propagation unknown": mounted({**MOUNT, "mountPropagation": "Both"}),
    "container's name": pod({"name": "a.b"}),
    "no image": pod({"image": ""}),
    "image padded": pod({"image": " a"}),
    "image padded behind": pod({"image": "a\u00a0"}),
    "pull policy": pod({"imagePullPolicy": "always"}),
    "message policy": pod({"terminationMessagePolicy": "file"}),
    "restart policy of a container": pod({"restartPolicy": "always"}),
    "resized twice": pod({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}] * 2}),
    "resized unknown": pod({"resizePolicy": [{"resourceName": "gpu", "restartPolicy": "NotRequired"}]}),
    "resized on end": pod(
        {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}, restartPolicy="Never"
    ),
    "port's own name": ports({"containerPort": 1, "name": "-"}),
    "port's own name of two": ports({"containerPort": 1, "name": "-"}, {"containerPort": 2}),
    "port's name twice": ports({"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}),
    "port zero": ports({"containerPort": 0}),
    "protocol": ports({"containerPort": 1, "protocol": "tcp"}),
    "node's port too large": ports({"containerPort": 1, "hostPort": 65536}),
    "node's port twice": ports({"containerPort": 1, "hostPort": 1}, {"containerPort": 2, "hostPort": 1}),
    "node's port twice by TCP": ports(TAKEN, {**TAKEN, "protocol": "TCP"}),
    "node's port twice everywhere": ports(TAKEN, {**TAKEN, "hostIP": ""}),
    "node's port in two containers": pod({"ports": [TAKEN]}, others=({"name": "b", "ports": [TAKEN]},)),
    "node's port twice before": init(ports=[{"containerPort": 1, "hostPort": 1}, {"containerPort": 2, "hostPort": 1}]),
    "node's network twice": ports({"containerPort": 1}, {"containerPort": 1}, hostNetwork=True),
    "node's network otherwise": ports({"containerPort": 1, "hostPort": 2}, hostNetwork=True),
    "container twice": pod(others=({"name": "app"},)),
    "container twice before": pod(initContainers=[{"name": "app", "image": "b"}]),
    "probe before": init(livenessProbe=GET),
    "hook before": init(lifecycle={}),
    "readiness before": init(readinessProbe=GET),
    "startup before": init(startupProbe=GET),
    "bad probe beside": init(restartPolicy="Always", livenessProbe={}),
    "bad before": init(image=""),
    "limit": resources({"cpu": "-1"}),
    "request": resources({}, {"memory": "-1"}),
    "more than its limit": resources({"cpu": "1"}, {"cpu": "1001m"}),
    "no resource": resources({"pods": "1"}),
    "request of no resource": resources({}, {"pods": "1"}),
    "request above a limit of no resource": resources({"cpu": "-1"}, {"cpu": "1"}),
    "part of a GPU": resources({"nvidia.com/gpu": "500m"}),
    "GPU without limit": resources({}, {"nvidia.com/gpu": "1"}),
    "unequal GPUs": resources({"nvidia.com/gpu": "2"}, {"nvidia.com/gpu": "1"}),
    "huge pages alone": resources({"hugepages-2Mi": "4Mi"}),
    "part of a huge page": resources({"hugepages-2Mi": "3Mi", "cpu": 1}),
    "restart policy": pod(restartPolicy="Sometimes"),
    "Deployment ends": of_kind("Deployment", "apps/v1", pod(restartPolicy="Never")),
    "ReplicaSet ends": of_kind("ReplicaSet", "apps/v1", pod(restartPolicy="OnFailure")),
    "Job never ends": of_kind("Job", "batch/v1", pod(restartPolicy="Always")),
    "Job says nothing": of_kind("Job", "batch/v1", pod()),
    "Job's policy": of_kind("Job", "batch/v1", pod(restartPolicy="Never"), podFailurePolicy={"unknown": 1}),
    "CronJob's policy": {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}}
    | {"spec": {"jobTemplate": {"spec": {"podFailurePolicy": {"a": 1}, "template": template()}}}},
    "claim's name beside a volume": of_kind("StatefulSet", "apps/v1", volume(EMPTY), volumeClaimTemplates=[claim("-")]),
    "claim's name": of_kind("StatefulSet", "apps/v1", pod(), volumeClaimTemplates=[claim("-")]),
    "claim without name": of_kind("StatefulSet", "apps/v1", pod(), volumeClaimTemplates=[claim("")]),
    "claim's type": of_kind("StatefulSet", "apps/v1", pod(), volumeClaimTemplates=[claim("a", spec={"a": 1})]),
    "claim's status": of_kind("StatefulSet", "apps/v1", pod(), volumeClaimTemplates=[claim("a", status={"a": 1})]),
    "account": pod(serviceAccountName="-"),
    "old account": pod(serviceAccount="-"),
    "priority": pod(priorityClassName="-"),
    "runtime": pod(runtimeClassName="-"),
    "no runtime": pod(runtimeClassName=""),
    "node": pod(nodeName="-"),
    "hostname": pod(hostname="a.b"),
    "subdomain": pod(subdomain="a.b"),
    "system": pod(os={"name": "plan9"}),
    "preemption": pod(preemptionPolicy="never"),
    "deadline": pod(activeDeadlineSeconds=0),
    "processes": pod(shareProcessNamespace=True, hostPID=True),
    "users and network": pod(hostUsers=False, hostNetwork=True),
    "users and processes": pod(hostUsers=False, hostPID=True),
    "users and IPC": pod(hostUsers=False, hostIPC=True),
    "DNS": pod(dnsPolicy="none"),
    "DNS of nobody": pod(dnsPolicy="None"),
    "DNS without server": pod(dnsPolicy="None", dnsConfig={"searches": ["a"]}),
    "DNS server": pod(dnsConfig={"nameservers": ["nowhere"]}),
    "DNS of another type": pod(dnsConfig={"unknown": 1}),
    "alias": pod(hostAliases=[{"ip": "nowhere"}]),
    "alias of another type": pod(hostAliases=[{"ip": "10.0.0.1", "unknown": 1}]),
    "selector": pod(nodeSelector={"a": "-"}),
    "selector's key": pod(nodeSelector={"-": "a"}),
    "tolerates nothing": toleration(operator="Equal"),
    "toleration's key": toleration(key="-"),
    "toleration's value": toleration(key="a", value="-"),
    "toleration of any value": toleration(key="a", operator="Exists", value="a"),
    "toleration's time": toleration(key="a", tolerationSeconds=1),
    "toleration's effect": toleration(key="a", effect="No"),
    "affinity": pod(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}),
    "affinity of another type": pod(affinity={"unknown": 1}),
    "spread": pod(topologySpreadConstraints=[{**SPREAD, "maxSkew": 0}]),
    "spread of another type": pod(topologySpreadConstraints=[{**SPREAD, "unknown": 1}]),
    "label": pod(metadata={"labels": {"a": "-"}}),
    "label's key": pod(metadata={"labels": {"-": "a"}}),
    "annotation's key": pod(metadata={"annotations": {"-": "a"}}),
    "annotations too long": pod(metadata={"annotations": {"a": "a" * (1 << 18)}}),
    "AppArmor of nobody": annotated("container.apparmor.security.beta.kubernetes.io/b", "unconfined"),
    "seccomp annotation": pod(metadata={"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "x"}}),
    "container's seccomp annotation": annotated("container.seccomp.security.alpha.kubernetes.io/app", "x"),
    "mirror": pod(metadata={"annotations": {"kubernetes.io/config.mirror": "a"}}),
    "cost": pod(metadata={"annotations": {"controller.kubernetes.io/pod-deletion-cost": "a"}}),
    "name": pod(metadata={"name": "-"}),
    "no name": {**pod(), "metadata": {"labels": {}}},
    "made name": {**pod(), "metadata": {"generateName": "-a"}},
    "made name with a dot": {**pod(), "metadata": {"generateName": "a."}},
    "made name beside a name": pod(metadata={"generateName": "-"}),
    "namespace": pod(metadata={"namespace": "a.b"}),
    "more than the Pod's limit": pod({"resources": {"requests": {"cpu": "2"}}}, resources={"limits": {"cpu": "1"}}),
    "disk that is not of the default kind": volume({"name": "v", "azureDisk": {"diskName": "d", "diskURI": "b"}}),
    "finalizer": pod(metadata={"finalizers": ["done"]}),
    "owner": pod(metadata={"ownerReferences": [{"apiVersion": "", "kind": "A", "name": "a", "uid": "1"}]}),
    "time": pod(metadata={"creationTimestamp": "yesterday"}),
    "managed": pod(metadata={"managedFields": [{"operation": "Delete"}]}),
    "metadata of another type": pod(metadata={"unknown": 1}),
    "status of another type": {**pod(), "status": {"unknown": 1}},
    "status of a template": {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}, "status": {}}
    | {"template": {"spec": pod()["spec"]}},
    "unknown field": {**pod(), "unknown": 1},
    "old version": {**of_kind("Deployment", "apps/v1", pod()), "apiVersion": "extensions/v1beta1"},
}  # fmt: skip


IN_FULL: dict[str, Raw] = {
    "token without account": volume(TOKEN),
    "Deployment without account": of_kind("Deployment", "apps/v1", volume(TOKEN)),
    "inline CSI volume": volume({"name": "v", "csi": {"driver": "d"}}),
    "the node's network": pod({"ports": [PORT]}, hostNetwork=True),
    "init container on the node's network": init(ports=[PORT])
    | {"spec": {**init(ports=[PORT])["spec"], "hostNetwork": True}},
    "annotation that speaks": annotated("container.apparmor.security.beta.kubernetes.io/app", "runtime/default"),
    "null in a list": pod({"args": [None]}),
    "volume without source": volume({"name": "v"}),
    "the Pod's own resources": pod({"resources": {"requests": {"cpu": "1"}}}, resources={"limits": {"cpu": "1"}}),
    "kind of a disk by default": volume({"name": "v", "azureDisk": {"diskName": "d", "diskURI": "https://a/b"}}),
}
"""Valid, but more follows from it than the quick answer knows."""


def is_known(raw: Raw) -> bool:
    """Whether the workload is known to be valid."""
    known = known_sources(document(raw))
    return known is not None and [valid for _, valid in known] == [True]


def is_refused(raw: Raw) -> bool:
    """Whether looking at it in full finds something."""
    try:
        (source,) = pod_sources(document(raw))
    except InputError:
        return True
    return by_registry(source.raw, source.kind).refused


@pytest.mark.parametrize("name", SOUND)
def test_this_is_known_to_be_valid(name: str) -> None:
    assert is_known(SOUND[name])
    assert not is_refused(SOUND[name])


@pytest.mark.parametrize("name", IN_FULL)
def test_this_is_looked_at_in_full(name: str) -> None:
    assert not is_known(IN_FULL[name])
    assert not is_refused(IN_FULL[name])


@pytest.mark.parametrize("name", REFUSED)
def test_this_is_refused(name: str) -> None:
    assert is_refused(REFUSED[name])
    assert not is_known(REFUSED[name])
