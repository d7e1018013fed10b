"""What the corpus of charts needs to run here: tiny images under the charts' names, and Pods without their cluster.

The images are busybox, each with the user that the real one has. A Pod keeps all that decides what its processes may
do: every security context, users, host namespaces, whose image each container has. What needs a cluster is replaced:
volumes of ConfigMaps, Secrets, claims and drivers by emptyDirs, hostPaths by directories that the caller gives, and
commands by one that says who it is and tries to write each mount. Probes, hooks, ports, resources, environments and
service accounts are left out.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from podward_command import Podward

from podward.api.json_value import Json, JsonObject, copied
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore
from podward.schema.workload import PodSource, pod_sources

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "images"))
from build_images import prepare

ROOT = ""
"""The USER of an image that names none."""

IMAGES = {
    "alpine/git:v2.47.2": ROOT,
    "busybox:1.36": ROOT,
    "code.example.org/forge/runner:6.2.2": "1000:1000",
    "cr.fluentbit.io/fluent/fluent-bit:3.2.8": ROOT,
    "docker.elastic.co/elasticsearch/elasticsearch:8.15.0": "1000:0",
    "docker.io/bats/bats:v1.4.1": ROOT,
    "docker.io/bitnami/kafka:3.9.0-debian-12-r6": "1001",
    "docker.io/bitnami/postgres-exporter:0.16.0-debian-12-r4": "1001",
    "docker.io/bitnami/postgresql:17.2.0-debian-12-r8": "1001",
    "docker.io/bookinfo/reviews-v2:1.20.2": "1000",
    "docker.io/grafana/grafana:11.5.2": "472",
    "docker.io/grafana/loki-canary:3.4.2": ROOT,
    "docker.io/grafana/loki:3.4.2": "10001",
    "docker.io/istio/proxyv2:1.25.0": "1337:1337",
    "docker.io/kiwigrid/k8s-sidecar:1.29.1": "65534:65534",
    "docker.io/library/busybox:1.31.1": ROOT,
    "docker.io/meshnet/cni:v3.29.2": ROOT,
    "docker.io/meshnet/node:v3.29.2": ROOT,
    "docker.io/nginxinc/nginx-unprivileged:1.27-alpine": "101",
    "docker.io/traefik:v3.3.4": ROOT,
    "docker:27.5-dind": ROOT,
    "gcr.io/kaniko-project/executor:v1.23.2": ROOT,
    "ghcr.io/example-shop/frontend:2025.03.1": "1000",
    "hashicorp/vault-k8s:1.6.2": "vault",
    "hashicorp/vault:1.18.5": ROOT,
    "jenkins/inbound-agent:3283.v92c105e0f819-1": "jenkins",
    "moby/buildkit:v0.20.1": ROOT,
    "moby/buildkit:v0.20.1-rootless": "1000:1000",
    "mongo:7.0.16": ROOT,
    "mysql:8.4": ROOT,
    "nginxinc/nginx-unprivileged:1.27-alpine": "101",
    "percona/mongodb_exporter:0.43.1": "65535:65535",
    "postgres:17-alpine": ROOT,
    "prom/statsd-exporter:v0.28.0": "65534",
    "quay.io/brancz/kube-rbac-proxy:v0.19.0": "65532:65532",
    "quay.io/jetstack/cert-manager-cainjector:v1.17.1": "1000",
    "quay.io/jetstack/cert-manager-controller:v1.17.1": "1000",
    "quay.io/jetstack/cert-manager-startupapicheck:v1.17.1": "1000",
    "quay.io/keycloak/keycloak:26.1.3": "1000",
    "quay.io/kiwigrid/k8s-sidecar:1.30.0": "65534:65534",
    "quay.io/metallb/controller:v0.14.9": ROOT,
    "quay.io/metallb/speaker:v0.14.9": ROOT,
    "quay.io/prometheus-operator/prometheus-config-reloader:v0.80.1": "nobody",
    "quay.io/prometheus-operator/prometheus-operator:v0.80.1": "nobody",
    "quay.io/prometheus/alertmanager:v0.28.1": "nobody",
    "quay.io/prometheus/node-exporter:v1.9.0": "nobody",
    "quay.io/prometheus/prometheus:v3.2.1": "nobody",
    "redis:7.4-alpine": ROOT,
    "registry.access.redhat.com/ubi9/ubi-minimal:9.5": ROOT,
    "registry.billing.example/tools/xtrabackup:8.4": ROOT,
    "registry.example.com/csi/block-csi-driver:v1.40.0": ROOT,
    "registry.example.com/survey:4.1.0": "10001",
    "registry.example.com/workshop/gb-frontend:v6": ROOT,
    "registry.example.com/workshop/redis-slave:v3": ROOT,
    "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v17.9.1": ROOT,
    "registry.k8s.io/ingress-nginx/controller:v1.12.1": "www-data",
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.5.2": "65532:65532",
    "registry.k8s.io/kube-proxy:v1.32.2": ROOT,
    "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.13.0": ROOT,
    "registry.k8s.io/sig-storage/csi-provisioner:v5.2.0": ROOT,
    "sonarsource/sonar-scanner-cli:11": "scanner-cli",
    "wordpress:6.7-apache": ROOT,
}
"""Each image of the corpus and the user it runs as. Windows images are missing: their Pods cannot run here."""

_BASE = "localhost/charts:base"
_CONTAINERFILE = """FROM scratch
COPY rootfs/ /
COPY etc/ /etc/
COPY passwd /etc/passwd
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["sh"]
"""
_USERS = ("vault:x:100:1000::/home/vault:/bin/sh", "jenkins:x:1000:1000::/home/jenkins:/bin/sh")
_MORE_USERS = ("scanner-cli:x:1001:1001::/opt/scanner:/bin/sh",)

_SCRIPT = """id
for at; do
  if touch "$at/$0" 2>/dev/null; then echo "$0 writes $at"; else echo "$0 cannot write $at"; fi
done
for sidecar in $SIDECARS; do
  until [ -e /podward-ready/$sidecar ]; do sleep 0.02; done
done
"""
_SIDECAR = f"trap 'exit 0' TERM\n{_SCRIPT}touch /podward-ready/${{0#*.}}\nsleep 3600 &\nwait\n"
"""A sidecar says when it can be told to go, and lives until it is. The others end no earlier: a process that has yet to
set its trap is killed at once, and ends with 137."""

_KEPT = ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace", "securityContext")
_FILES = ("configMap", "secret", "downwardAPI", "projected")
"""Volumes that a kubelet never lets a container write."""
_KERNEL = ("/dev", "/proc", "/sys")
"""A directory of ours in place of one of these would take away what every process needs: mounted below /host."""


class Process(msgspec.Struct, frozen=True):
    """A container that ran: how it ended, and what the kernel said of its first process.

    `uid`, `gid` and `groups` are as the Pod sees them, also in a user namespace; `capabilities` is its permitted set;
    `seccomp` 0 without a filter, 2 with one; `differences` names the fields in which it is not what was predicted.
    """

    name: str
    exit_code: int
    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: int
    no_new_privs: bool
    seccomp: int
    differences: tuple[str, ...]
    writes: tuple[str, ...]
    """Mounts that it could write, and below those that it should have been able to."""
    cannot_write: tuple[str, ...]


class RanPod(msgspec.Struct, frozen=True):
    """A Pod that ran: of which workload, how it ended, its containers that started."""

    kind: str
    name: str
    exit_code: int
    processes: tuple[Process, ...]


class Ran(msgspec.Struct, frozen=True):
    """What `podward run` made of a file's Pods; no Pods where it refused one: `said` is its standard error."""

    exit_code: int
    pods: tuple[RanPod, ...]
    said: str


class _Seen(msgspec.Struct):
    uid: tuple[int, ...]
    gid: tuple[int, ...]
    groups: tuple[int, ...]
    cap_permitted: int
    no_new_privs: bool
    seccomp: int
    uid_map: tuple[tuple[int, int, int], ...]
    gid_map: tuple[tuple[int, int, int], ...]


class _Container(msgspec.Struct, rename="camel"):
    name: str
    exit_code: int
    differences: tuple[str, ...]
    observed: _Seen | None = None


class _Pod(msgspec.Struct, rename="camel"):
    name: str
    exit_code: int
    containers: tuple[_Container, ...]


class _Report(msgspec.Struct, rename="camel"):
    pods: tuple[_Pod, ...]


def build_chart_images(root: Path) -> None:
    """Build all of IMAGES into this state directory."""
    with tempfile.TemporaryDirectory(prefix="podward-charts-") as directory:
        _build_all(ImageStore(str(root)), directory)


def _build_all(store: ImageStore, directory: str) -> None:
    context = f"{directory}/context"
    os.makedirs(context)
    prepare(context)
    with (
        open(f"{context}/etc/passwd", encoding="ascii") as known,
        open(f"{context}/passwd", "w", encoding="ascii") as new,
    ):
        new.write(known.read() + "".join(f"{line}\n" for line in (*_USERS, *_MORE_USERS)))
    os.chmod(f"{context}/passwd", 0o644)
    _build(store, directory, _CONTAINERFILE, _BASE)
    for name, user in IMAGES.items():
        _build(store, directory, f"FROM {_BASE}\n" + (f"USER {user}\n" if user else ""), name)


def _build(store: ImageStore, directory: str, text: str, name: str) -> None:
    file = f"{directory}/Containerfile"
    with open(file, "w", encoding="ascii") as opened:
        opened.write(text)
    build(store, file, f"{directory}/context", name)


def sources(text: bytes, name: str = "chart.yaml") -> tuple[PodSource, ...]:
    """Every Pod that a manifest brings about; raises InputError where an API server would not take it."""
    return tuple(source for document in decode_documents(text, name) for source in pod_sources(document))


def runs_on_linux(source: PodSource) -> bool:
    """Whether the Pod could run here at all."""
    return source.view.spec.os is None or source.view.spec.os.name != "windows"


def run_pods(podward: Podward, text: bytes, directory: str, only: frozenset[str] | None = None) -> Ran:
    """Run the Pods of a manifest, all at once, with what is predicted of each process compared with what it is.

    Windows Pods are left out. `directory` is an empty one for what hostPaths become; `only` are the `Kind/name` to run.
    """
    chosen = [
        source
        for source in sources(text)
        if runs_on_linux(source) and (only is None or f"{source.kind}/{source.name}" in only)
    ]
    pods: list[Json] = [runnable(source, f"pod{index}", directory) for index, source in enumerate(chosen)]
    if not pods:
        return Ran(0, (), "")
    whole = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": pods}).decode()
    result = podward("run", "--verify", "-o", "json", "-f", "-", stdin=whole)
    report = msgspec.json.decode(result.stdout, type=_Report) if result.stdout else _Report(())
    lines = result.stderr.splitlines()
    ran = [_ran(source, pod, lines) for source, pod in zip(chosen, report.pods, strict=False)]
    return Ran(result.returncode, tuple(ran), result.stderr)


def _ran(source: PodSource, pod: _Pod, lines: list[str]) -> RanPod:
    processes = tuple(
        Process(
            container.name,
            container.exit_code,
            _inside(seen.uid[0], seen.uid_map),
            _inside(seen.gid[0], seen.gid_map),
            tuple(_inside(group, seen.gid_map) for group in seen.groups),
            seen.cap_permitted,
            seen.no_new_privs,
            seen.seccomp,
            container.differences,
            tuple(_after(lines, f"[{container.name}] {pod.name}.{container.name} writes ")),
            tuple(_after(lines, f"[{container.name}] {pod.name}.{container.name} cannot write ")),
        )
        for container in pod.containers
        if (seen := container.observed) is not None
    )
    return RanPod(source.kind, source.name, pod.exit_code, processes)


def _inside(number: int, mapped: tuple[tuple[int, int, int], ...]) -> int:
    """The id in the Pod's user namespace of one of this machine."""
    return next(inside + number - outside for inside, outside, count in mapped if outside <= number < outside + count)


def _after(lines: list[str], start: str) -> Iterator[str]:
    return (line.removeprefix(start) for line in lines if line.startswith(start))


def runnable(source: PodSource, name: str, directory: str) -> JsonObject:
    """The Pod as it can run here, called `name`; directories for its hostPaths are made in `directory`."""
    spec = source.raw["spec"]
    if not isinstance(spec, dict):
        raise InputError("the Pod has no spec", where=source.document.name)
    kept: JsonObject = {key: copied(spec[key]) for key in _KEPT if key in spec}
    volumes = {str(volume["name"]): _volume(volume, f"{directory}/{name}") for volume in _objects(spec, "volumes")}
    files = {str(volume["name"]) for volume in _objects(spec, "volumes") if not set(_FILES).isdisjoint(volume)}
    for field in ("initContainers", "containers"):
        made = [_container(container, name, files) for container in _objects(spec, field)]
        for mount in (mount for container in made for mount in _objects(container, "volumeMounts")):
            claimed: JsonObject = {"name": mount["name"], "emptyDir": {}}  # of a volumeClaimTemplate
            volumes.setdefault(str(mount["name"]), claimed)
        kept[field] = [*made]
    kept |= {"volumes": [*volumes.values()], "restartPolicy": "Never", "terminationGracePeriodSeconds": 10}
    _wait_for_sidecars(kept)
    annotations = source.view.metadata.annotations or {}
    metadata: JsonObject = {
        "name": name,
        "annotations": {key: value for key, value in annotations.items() if "apparmor" in key},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": kept}


def _volume(volume: JsonObject, directory: str) -> JsonObject:
    name = volume["name"]
    if "hostPath" not in volume:
        medium = volume.get("emptyDir")
        return {"name": name, "emptyDir": copied(medium) if isinstance(medium, dict) else {}}
    path = f"{directory}/{name}"
    os.makedirs(path, exist_ok=True)
    return {"name": name, "hostPath": {"path": path, "type": "Directory"}}


def _container(container: JsonObject, pod: str, files: set[str]) -> JsonObject:
    mounts = [_mount(mount, files) for mount in _objects(container, "volumeMounts")]
    writable = [mount["mountPath"] for mount in mounts if not mount.get("readOnly")]
    script = _SIDECAR if _is_sidecar(container) else _SCRIPT
    made: JsonObject = {
        "name": container["name"],
        "image": _image(str(container["image"])),
        "command": ["sh", "-c", script, f"{pod}.{container['name']}", *writable],
        "volumeMounts": [*mounts],
    }
    return made | {key: copied(container[key]) for key in ("securityContext", "restartPolicy") if container.get(key)}


def _is_sidecar(container: JsonObject) -> bool:
    return container.get("restartPolicy") == "Always"


def _wait_for_sidecars(spec: JsonObject) -> None:
    """Let no regular container end before every sidecar is ready; a Pod without sidecars stays as it is."""
    sidecars = [container for container in _objects(spec, "initContainers") if _is_sidecar(container)]
    regular = _objects(spec, "containers")
    if not sidecars:
        return
    spec["volumes"] = [*_objects(spec, "volumes"), {"name": "podward-ready", "emptyDir": {}}]
    for container in (*sidecars, *regular):
        mounts = _objects(container, "volumeMounts")
        container["volumeMounts"] = [*mounts, {"name": "podward-ready", "mountPath": "/podward-ready"}]
    for container in regular:
        names = " ".join(str(sidecar["name"]) for sidecar in sidecars)
        container["env"] = [{"name": "SIDECARS", "value": names}]


def _mount(mount: JsonObject, files: set[str]) -> JsonObject:
    path = str(mount["mountPath"])
    made: JsonObject = {"name": mount["name"], "mountPath": f"/host{path}" if path in _KERNEL else path}
    if mount.get("readOnly") or mount["name"] in files:
        made["readOnly"] = True
    if mount.get("subPath"):
        made["subPath"] = mount["subPath"]
    return made


def _image(name: str) -> str:
    """The name without its digest: ours has another."""
    name = name.partition("@")[0]
    if name not in IMAGES:
        raise InputError(f"chart_images.IMAGES has no {name}")
    return name


def _objects(parent: JsonObject, field: str) -> list[JsonObject]:
    found = parent.get(field)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
