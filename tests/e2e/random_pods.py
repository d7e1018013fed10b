"""Random Pods over every security field, for the proof that what is predicted is what the kernel says."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from podward.api.capability import NAMES
from podward.api.content import ContentObject
from podward.api.referenced_objects import ReferencedObjects
from podward.documents.document import Document
from podward.schema.referenced_objects import collect

Manifest = dict[str, Any]

CAPABILITIES = ("ALL", *(name.removeprefix("CAP_") for name in NAMES))
IDS = st.one_of(st.sampled_from((0, 1, 33, 1000, 1003, 2000, 65534)), st.integers(0, 65535))
SMALL_IDS = st.sampled_from((0, 33, 1000, 1003, 3000, 50000, 65534))
SYSCTLS = (
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.tcp_syncookies", "0"),
    ("net.ipv4.ping_group_range", "0 1000"),
    ("kernel.shm_rmid_forced", "1"),
)


def some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[Manifest]:
    """Objects that have any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def profile(kinds: tuple[str, ...]) -> st.SearchStrategy[Manifest]:
    return st.sampled_from(kinds).map(lambda kind: {"type": kind})


CAPABILITY_SETS = some(
    add=st.lists(st.sampled_from(CAPABILITIES), max_size=4, unique=True),
    drop=st.lists(st.sampled_from(CAPABILITIES), max_size=4, unique=True),
)
CONTAINER_CONTEXT = some(
    runAsUser=IDS,
    runAsGroup=IDS,
    runAsNonRoot=st.booleans(),
    privileged=st.booleans(),
    readOnlyRootFilesystem=st.booleans(),
    allowPrivilegeEscalation=st.booleans(),
    capabilities=CAPABILITY_SETS,
    seccompProfile=profile(("RuntimeDefault", "Unconfined", "RuntimeDefault")),
    procMount=st.sampled_from(("Default", "Default", "Unmasked")),
)
POD_CONTEXT = some(
    runAsUser=IDS,
    runAsGroup=IDS,
    runAsNonRoot=st.booleans(),
    fsGroup=IDS,
    supplementalGroups=st.lists(IDS, max_size=4),
    supplementalGroupsPolicy=st.sampled_from(("Merge", "Strict")),
    seccompProfile=profile(("RuntimeDefault", "Unconfined")),
    sysctls=st.lists(st.sampled_from(SYSCTLS), max_size=2, unique=True).map(
        lambda rows: [{"name": name, "value": value} for name, value in rows]
    ),
)
RESOURCES = some(
    limits=some(memory=st.sampled_from(("64Mi", "256Mi")), cpu=st.sampled_from(("500m", "2"))),
    requests=some(memory=st.just("16Mi"), cpu=st.just("100m")),
)
VOLUMES: tuple[Manifest, ...] = (
    {"name": "disk", "emptyDir": {}},
    {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    {"name": "host", "hostPath": {"path": "/usr/share"}},
    {"name": "unbound", "persistentVolumeClaim": {"claimName": "nobody-s"}},
    {"name": "frozen", "persistentVolumeClaim": {"claimName": "nobody-s", "readOnly": True}},
    {"name": "bound", "persistentVolumeClaim": {"claimName": "bound"}},
    {"name": "local", "persistentVolumeClaim": {"claimName": "local"}},
    {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"],
     "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}}}},
    {"name": "share", "nfs": {"server": "nas.example", "path": "/export", "readOnly": True}},
    {"name": "model", "image": {"reference": "localhost/odd:0"}},
)  # fmt: skip

FILES = ("secret", "config", "down", "all")
"""Volumes of files that are made; `OBJECTS` has what they and the variables name."""
OBJECTS = ReferencedObjects(
    {
        ("Secret", "default", "s"): ContentObject("Secret", "default", "s", {"a": b"one", "b": b"two"}),
        ("ConfigMap", "default", "c"): ContentObject(
            "ConfigMap", "default", "c", {"a": b"text", "x": b"\0"}, frozenset("a")
        ),
    }
)
MODES = st.sampled_from((0o400, 0o440, 0o444, 0o555, 0o600, 0o640, 0o644, 0o4755))
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"key": st.sampled_from("ab"), "path": st.sampled_from(("a", "b", "deep/a", "deep/er/b"))},
        optional={"mode": MODES},
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda item: str(item["path"]),
)
FIELD_FILES = st.lists(
    st.fixed_dictionaries(
        {
            "path": st.sampled_from(("name", "down/labels")),
            "fieldRef": st.sampled_from(("metadata.name", "metadata.labels")).map(lambda field: {"fieldPath": field}),
        },
        optional={"mode": MODES},
    ),
    max_size=2,
    unique_by=lambda item: str(item["path"]),
)
MAY_BE_ABSENT = st.sampled_from(({"name": "none", "optional": True}, {"name": "s"}))
PROJECTED = st.lists(
    st.one_of(
        st.builds(lambda named, rest: {"secret": named | rest}, MAY_BE_ABSENT, some(items=ITEMS)),
        st.just({"configMap": {"name": "c"}}),
        st.just({"serviceAccountToken": {"path": "token/here", "expirationSeconds": 3600}}),
        st.just({"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}),
        FIELD_FILES.map(lambda items: {"downwardAPI": {"items": items}}),
    ),
    min_size=1,
    max_size=3,
)
FILE_VOLUMES: dict[str, st.SearchStrategy[Manifest]] = {
    "secret": some(items=ITEMS, defaultMode=MODES, optional=st.booleans()).map(
        lambda rest: {"secret": {"secretName": "s", **rest}}
    ),
    "config": some(defaultMode=MODES).map(lambda rest: {"configMap": {"name": "c", **rest}}),
    "down": st.builds(
        lambda items, rest: {"downwardAPI": {"items": items, **rest}}, FIELD_FILES, some(defaultMode=MODES)
    ),
    "all": st.builds(
        lambda sources, rest: {"projected": {"sources": sources, **rest}}, PROJECTED, some(defaultMode=MODES)
    ),
}
ENV = some(
    env=st.just(
        [
            {"name": "P", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}},
            {"name": "Q", "value": "$(P)-$(C_a)-$(none)"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ]
    ),
    envFrom=st.just([{"prefix": "C_", "configMapRef": {"name": "c"}}, {"secretRef": {"name": "no", "optional": True}}]),
)


def objects(directory: str) -> ReferencedObjects:
    """OBJECTS, and what the claims of VOLUMES are bound to: directories below this one, which are made."""
    for name in ("bound", "local", "share"):
        os.makedirs(f"{directory}/{name}/below", exist_ok=True)
    sources = {"bound": "hostPath", "local": "local"}
    raw: list[Manifest] = []
    for name, source in sources.items():
        asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        raw.append(_object("PersistentVolumeClaim", name, {**asked, "storageClassName": name}))
        held = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": name}
        raw.append(_object("PersistentVolume", name, {**held, source: {"path": f"{directory}/{name}"}}))
    found = collect(Document("objects.yaml", each) for each in raw)
    storage = structs.replace(found.storage, stand_ins={"share": f"{directory}/share"})
    return structs.replace(OBJECTS, storage=storage)


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


_MOUNT: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from([*(str(v["name"]) for v in VOLUMES), *FILES]),
    "mountPath": st.sampled_from(("/data", "/more", "/home", "/data/below", "/data/made/here")),
}
_READ_ONLY = {"readOnly": st.booleans()}
_SPREAD = {"mountPropagation": st.sampled_from(("None", "HostToContainer", "Bidirectional"))}


def _mounts(mount: st.SearchStrategy[Manifest], least: int) -> st.SearchStrategy[list[Manifest]]:
    return st.lists(mount, min_size=least, max_size=3, unique_by=lambda mount: str(mount["mountPath"]))


MOUNTS = _mounts(st.fixed_dictionaries(_MOUNT, optional={**_READ_ONLY, **_SPREAD}), 0)
SPREADING = _mounts(st.fixed_dictionaries({**_MOUNT, **_SPREAD}, optional=_READ_ONLY), 2)
"""Several that spread, each in its way: what becomes of one depends on the others. Only privileged containers may."""


def _spares_the_host(mounts: list[Manifest]) -> bool:
    """Whether nothing is mounted in a directory of this machine: the runtime would make the mount points there."""
    return not any(mount["name"] == "host" and mount["mountPath"] == "/data" for mount in mounts)


@st.composite
def pods(draw: st.DrawFn, images: tuple[str, ...], entries: tuple[str, ...]) -> Manifest:
    """A Pod of one to two containers of these images, each executing one of these entry files.

    Combinations that the API server refuses outright are left out, so that most Pods run.
    """
    spec: Manifest = draw(
        some(
            securityContext=POD_CONTEXT,
            hostNetwork=st.booleans(),
            hostPID=st.booleans(),
            hostIPC=st.booleans(),
            hostUsers=st.booleans(),
            shareProcessNamespace=st.booleans(),
            hostAliases=st.just([{"ip": "10.0.0.1", "hostnames": ["db.example"]}]),
        )
    )
    if spec.get("hostUsers") is False:
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            spec.pop(name, None)
    if spec.get("hostPID"):
        spec.pop("shareProcessNamespace", None)
    _agree(spec)
    spec["restartPolicy"] = "Never"
    files = [{"name": name, **draw(volume)} for name, volume in FILE_VOLUMES.items()]
    spec["volumes"] = [*VOLUMES, *files]
    spec["containers"] = [
        draw(_containers(f"c{index}", images, entries, spec)) for index in range(draw(st.sampled_from((1, 1, 1, 2))))
    ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "random"}, "spec": spec}


def _agree(spec: Manifest) -> None:
    """Sysctls of a namespace that the Pod shares with the host are refused."""
    context = spec.get("securityContext")
    if isinstance(context, dict) and isinstance(context.get("sysctls"), list):
        context["sysctls"] = [
            sysctl
            for sysctl in context["sysctls"]
            if not (sysctl["name"].startswith("net.") and spec.get("hostNetwork"))
            and not (sysctl["name"].startswith("kernel.") and spec.get("hostIPC"))
        ]


@st.composite
def _containers(
    draw: st.DrawFn, name: str, images: tuple[str, ...], entries: tuple[str, ...], spec: Manifest
) -> Manifest:
    context: Manifest = dict(draw(CONTAINER_CONTEXT))
    mounts: list[Manifest] = draw(SPREADING if context.get("privileged") else MOUNTS)
    logs = ["/tmp/why", "why", "/data/why"]  # noqa: S108
    if not _spares_the_host(mounts):
        mounts = [mount for mount in mounts if not mount["mountPath"].startswith("/data/")]
        logs.remove("/data/why")
    if spec.get("hostUsers") is not False and context.get("procMount") == "Unmasked":
        del context["procMount"]
    if context.get("privileged") or "'SYS_ADMIN'" in str(context.get("capabilities")):
        context.pop("allowPrivilegeEscalation", None)
    container: Manifest = {
        "name": name,
        "image": draw(st.sampled_from(images)),
        "command": [draw(st.sampled_from(entries))],
        "securityContext": context,
        "volumeMounts": mounts,
    }
    container |= draw(some(terminationMessagePath=st.sampled_from(logs)))
    container |= draw(ENV)
    resources = draw(RESOURCES)
    if resources:
        container["resources"] = resources
    return container
