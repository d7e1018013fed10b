"""Random changes of workloads, for the proof that what is known to be valid is, and is judged as all else is.

A seed names a document: one of the sound ones (`tests/schema/rich.yaml`) or of the corpus, with up to four
changes. A change puts a value, right or wrong, where the schema has a field, takes one away, or repeats an item of a
list.
"""

from __future__ import annotations

import copy
import random
from functools import cache
from pathlib import Path
from typing import Any

from podward.documents.document import Document
from podward.documents.parsed_value import Lines
from podward.documents.reader import read_all
from podward.errors import InputError
from podward.schema.known_valid import sources_if_known
from podward.schema.objects import objects_of
from podward.schema.pod_kinds import TEMPLATES
from podward.schema.strict import type_of
from podward.schema.table import TYPES
from podward.schema.workload import PodSource

TESTS = Path(__file__).parent.parent
Raw = dict[str, Any]
Spot = tuple[Any, str | int, str]
"""An object or list, a name or index in it, and the type that the schema has for that."""

_NAMES = ("app", "web", "data", "one", "two", "three", "a.b", "A_b", "-x", "x" * 64, "..", "café")
_PROFILES = ("RuntimeDefault", "Unconfined", "Localhost", "runtimedefault")
_TEXTS: dict[str, tuple[str, ...]] = {
    "name": (*_NAMES, "config", "tmp", "http", "proxy", "x" * 254, "A=B", "SOME_NAME", "net.ipv4.tcp_syncookies"),
    "namespace": ("payments", "shop", "other", "Bad_Name", "a.b"),
    "generateName": ("web-", "web", "Bad-", "a.", "-"),
    "image": ("busybox", "busybox:latest", " busybox", "busybox\n", "a@sha256:00", " ", "\u2003a"),
    "imagePullPolicy": ("Always", "Never", "IfNotPresent", "always"),
    "pullPolicy": ("Always", "Never", "IfNotPresent", "always"),
    "restartPolicy": ("Always", "Never", "OnFailure", "Sometimes"),
    "dnsPolicy": ("ClusterFirst", "Default", "ClusterFirstWithHostNet", "None", "no"),
    "protocol": ("TCP", "UDP", "SCTP", "tcp"),
    "hostIP": ("127.0.0.1", "10.0.0.1", "::1", "nowhere"),
    "fieldPath": (
        "metadata.name", "metadata.uid", "status.podIP", "metadata.labels['app']", "metadata.annotations['A/b']",
        "metadata.labels['-']", "metadata.labels", "spec.host", "spec.nodeName", "status.phase", "nothing",
    ),
    "resource": ("limits.cpu", "requests.memory", "limits.ephemeral-storage", "requests.hugepages-2Mi", "cpu"),
    "containerName": ("web", "app", "nobody"),
    "medium": ("", "Memory", "HugePages", "Disk"),
    "localhostProfile": ("profiles/a.json", "/a", "../a", " a", "two", "a/../b"),
    "operator": ("Exists", "Equal", "In", "NotIn", "DoesNotExist", "Gt", "Lt"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute", "NoWay"),
    "scheme": ("HTTP", "HTTPS", "http"),
    "host": ("127.0.0.1", "example.com", "one", "a b"),
    "path": ("/", "/healthz", "a", "a/b", "../a", "a..b", "..a", "/a/../b", "a/./b"),
    "mountPath": ("/a", "/b", "/etc/app", "a", "/.."),
    "subPath": ("a", "/a", "../a", "a..b"),
    "subPathExpr": ("$(PLAIN)", "/a", "../a", "a..b"),
    "mountPropagation": ("None", "HostToContainer", "Bidirectional", "none"),
    "recursiveReadOnly": ("Disabled", "IfPossible", "Enabled", "enabled"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError", "file"),
    "procMount": ("Default", "Unmasked", "default"),
    "level": ("s0:c1,c2", "s0"),
    "user": ("system_u", "two"),
    "role": ("system_r",),
    "fsGroupChangePolicy": ("Always", "OnRootMismatch", "Never"),
    "supplementalGroupsPolicy": ("Merge", "Strict", "merge"),
    "seLinuxChangePolicy": ("Recursive", "MountOption"),
    "preemptionPolicy": ("Never", "PreemptLowerPriority", "never"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway", "Maybe"),
    "key": ("a", "a.b_c-d", "..", "..a", ".", "a/b", "é", "x" * 254, "metadata.name"),
    "value": ("", "a", "two words", "-", "$(A)"),
    "ip": ("10.0.0.1", "010.0.0.1", "::ffff:10.0.0.1", "fe80::1", "nowhere"),
    "stopSignal": ("SIGTERM", "SIGNOTHING"),
    "kind": ("ReplicaSet", "Event", "Managed", "Shared"),
    "diskURI": ("https://a.example.com/b/c.vhd", "/subscriptions/a"),
    "cachingMode": ("None", "ReadOnly", "readonly"),
    "iqn": ("iqn.2001-04.com.example:disk", "eui.0123456789abcdef", "example"),
    "registry": ("a:1", "a:1,b:2", "a"),
    "action": ("Restart", "RestartAllContainers", "Stop"),
    "apiVersion": ("v1", "apps/v1", "a/b/c"),
    "fieldsType": ("FieldsV1", "FieldsV2"),
    "operation": ("Apply", "Update", "Delete"),
    "conditionType": ("example.com/ready", "-"),
    "prefix": ("P_", "a=b", "é", "a-b"),
    "driver": ("csi.example.com", "Bad_Driver", "x" * 64),
    "server": ("nfs.example.com",),
    "volumeMode": ("Filesystem", "Block", "block"),
    "storageClassName": ("fast", "Bad_Class"),
    "topologyKey": ("kubernetes.io/hostname", "-"),
    "service": ("", "health"),
}  # fmt: skip
_OF_TYPES: dict[str, tuple[str, ...]] = {
    "SeccompProfile": _PROFILES,
    "AppArmorProfile": _PROFILES,
    "SELinuxOptions": ("container_t", "container_engine_t", "spc_t"),
    "HostPathVolumeSource": ("", "Directory", "File", "Socket", "directory"),
    "PodOS": ("linux", "windows", "plan9"),
    "LocalObjectReference": ("pull", "Bad_Name"),
}
"""Where `type`, or the only name, means something in this type alone."""
_ITEMS: dict[str, tuple[str, ...]] = {
    "add": ("NET_ADMIN", "NET_BIND_SERVICE", "ALL", "CAP_SYS_ADMIN", "SYS_ADMIN", "chown", "two", "nothing"),
    "drop": ("ALL", "all", "NET_RAW", "CAP_CHOWN"),
    "accessModes": ("ReadWriteOnce", "ReadWriteOncePod", "Everything"),
    "finalizers": ("kubernetes", "orphan", "foregroundDeletion", "example.com/done", "done"),
    "nameservers": ("10.0.0.1", "nowhere", "1.1.1.1"),
    "searches": ("example.com", "a_b.c", "."),
    "hostnames": ("example.com", "Bad_Name"),
    "values": ("a", "-", "1"),
}
_NUMBERS = (0, 1, 2, 30, 65535, 65536, 1000, 600, -1, 0o777, 0o1000, 2**31 - 1, 2**31, 2**63, 10**30, 53, 8080, 9090)
_QUANTITIES = (
    "1", "100m", "64Mi", "2Gi", "1.5Gi", "1e3", "-1", "0", "0.5", "1e2000", "1" * 30, "9" * 19 + "E", "1m", "1Ki",
    "", "x", " 1", "+5", ".5", "1.", "4Mi", 1, 0.5, -2,
)  # fmt: skip
_RESOURCES = (
    "cpu",
    "memory",
    "ephemeral-storage",
    "nvidia.com/gpu",
    "hugepages-2Mi",
    "storage",
    "requests.example.com/a",
)
_KEYS = (
    "a", "app", "example.com/a", "Example.com/A", "-a", "x" * 64, "a/b/c", "café", "description",
    "container.apparmor.security.beta.kubernetes.io/web", "container.apparmor.security.beta.kubernetes.io/nobody",
    "container.seccomp.security.alpha.kubernetes.io/web", "seccomp.security.alpha.kubernetes.io/pod",
    "kubernetes.io/config.mirror", "controller.kubernetes.io/pod-deletion-cost",
    "security.alpha.kubernetes.io/sysctls", "podward.example/waive",
)  # fmt: skip
_VALUES = ("", "a", "two words", "-", "unconfined", "runtime/default", "localhost/a", "localhost/../a", "x" * 64, "7")
_WRONG: tuple[object, ...] = (None, "", [], {}, True, 0, 1.0, 1.5, "text", [None], {"a": None}, 10**30, [[]], [{}])
_TIMES = ("2026-01-31T12:00:00Z", "yesterday")
_LONG = 70_000


@cache
def sound() -> tuple[Raw, ...]:
    """The sound workloads."""
    reading = read_all((TESTS / "schema/rich.yaml").read_bytes(), "rich.yaml")
    return tuple(document.raw for document in reading.documents)


@cache
def corpus() -> tuple[Raw, ...]:
    """Every workload of the corpus, items of lists on their own; `cases` are there because they are unusual."""
    found: list[Raw] = []
    for file in sorted((TESTS / "corpus").rglob("*")):
        if "cases" in file.parts or file.suffix not in {".yaml", ".json"} or file.name.startswith("expected"):
            continue
        for document in read_all(file.read_bytes(), file.name).documents:
            items = document.raw.get("items")
            found += [document.raw, *(items if isinstance(items, list) else ())]
    return tuple(each for each in found if each.get("kind") in TEMPLATES or "items" in each)


def changed(seed: int) -> Raw:
    """The document of this number."""
    dice = random.Random(seed)  # noqa: S311  # the same document for the same seed, no secret
    raw = copy.deepcopy(dice.choice(sound() if dice.random() < 0.7 else corpus()))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        change(raw, dice)
    return raw


def document(raw: Raw) -> Document:
    """The document with a line of its own for each place."""
    return Document("some.yaml", raw, 1, _lines(raw, iter(range(2, 1 << 30))))


def known_sources(whole: Document) -> tuple[tuple[PodSource, bool], ...] | None:
    """The Pods of the document, each with whether it is known to be valid; None if it is looked at in full."""
    try:
        return sources_if_known(whole, objects_of(whole))
    except InputError:
        return None  # the document holds something that is no object


def change(raw: Raw, dice: random.Random) -> None:
    """Change the document in one place."""
    inside, step, code = dice.choice(spots(raw))
    what = dice.random()
    if what < 0.15:
        inside[step] = copy.deepcopy(dice.choice(_WRONG))
    elif what < 0.3 and isinstance(inside, dict):
        del inside[step]
    elif what < 0.4 and isinstance(inside, list) and isinstance(step, int):
        inside.insert(step, copy.deepcopy(inside[step]))
    elif what < 0.65 and isinstance(inside[step], dict) and code in TYPES:
        _add(inside[step], code, dice)
    elif what < 0.7 and isinstance(inside[step], list) and code[0] == "[":
        inside[step].append(made(code[1:], str(step), dice))
    elif what < 0.73 and isinstance(inside[step], str):
        others = [other[key] for other, key, _ in spots(raw) if isinstance(other[key], str)]
        inside[step] = dice.choice(others)
    else:
        inside[step] = made(code, str(step), dice)


def spots(raw: Raw) -> list[Spot]:
    """Every place of the document."""
    found: list[Spot] = []
    _walk(raw, type_of(raw.get("apiVersion"), raw.get("kind")) or "Pod", found)
    return found


def _walk(value: object, code: str, found: list[Spot]) -> None:
    if isinstance(value, dict):
        types = TYPES.get(code, {})
        for name, item in value.items():
            inner = code[1:] if code[:1] == "{" else types.get(name, "s")
            found.append((value, name, inner))
            _walk(item, inner, found)
    elif isinstance(value, list):
        inner = code[1:] if code[:1] == "[" else "s"
        for index, item in enumerate(value):
            found.append((value, index, inner))
            _walk(item, inner, found)


def _add(inside: Raw, code: str, dice: random.Random) -> None:
    if dice.random() < 0.03:
        inside["unknown"] = 1
        return
    name = dice.choice(list(TYPES[code]))
    inside[name] = made(TYPES[code][name], name, dice, code)


def made(code: str, name: str, dice: random.Random, owner: str = "", depth: int = 0) -> object:
    """A value of this type, now and then a wrong one."""
    if dice.random() < 0.02:
        return copy.deepcopy(dice.choice(_WRONG))
    if code[0] == "[":
        return [made(code[1:], name, dice, owner, depth) for _ in range(dice.choice((0, 1, 1, 2)))]
    if code[0] == "{":
        return _map(code[1:], name, dice)
    if code in TYPES:
        share = 0.5 / (depth + 1) if len(TYPES[code]) > 3 else 0.8
        fields = [field for field in TYPES[code] if dice.random() < share]
        if len(TYPES[code]) > 12:
            fields = [field for field in fields if dice.random() < 0.3]
            fields += [field for field in ("name", "image") if field in TYPES[code] and field not in fields]
        return {field: made(TYPES[code][field], field, dice, code, depth + 1) for field in fields}
    return _scalar(code, name, dice, owner)


def _scalar(code: str, name: str, dice: random.Random, owner: str) -> object:
    if code == "s":
        texts = _OF_TYPES.get(owner) if name in {"type", "name"} else None
        return dice.choice(texts or _TEXTS.get(name) or _ITEMS.get(name) or _NAMES)
    if code in "il":
        return dice.choice(_NUMBERS)
    choices: dict[str, tuple[object, ...]] = {
        "b": (True, False),
        "q": _QUANTITIES,
        "o": (8080, 0, 65536, "http", "a--b", "25%", "1", -1),
        "t": _TIMES,
        "y": ("YQ==", "?"),
        "r": ({}, {"a": 1}),
    }
    return dice.choice(choices[code])


def _map(code: str, name: str, dice: random.Random) -> Raw:
    if code == "q":
        return {dice.choice(_RESOURCES): dice.choice(_QUANTITIES) for _ in range(dice.choice((0, 1, 1, 2)))}
    if name == "annotations" and dice.random() < 0.03:
        return {"a": "é" * _LONG * 2}
    return {dice.choice(_KEYS): dice.choice(_VALUES) for _ in range(dice.choice((0, 1, 1, 2)))}


def _lines(value: object, numbers: Any) -> Lines:  # noqa: ANN401  # an iterator that all levels share
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    found: Lines = {}
    for step, item in inside:
        line = next(numbers)
        found[step] = (line, _lines(item, numbers)) if isinstance(item, dict | list) else line
    return found
