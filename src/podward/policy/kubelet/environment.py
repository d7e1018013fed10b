"""The command, its arguments and the environment of a container, with `$(NAME)` expanded.

Specification (kubelet and k8s.io/kubernetes third_party/forked/golang/expansion, in our words): in command, args
and later env values `$(NAME)` becomes the value of an environment variable that was defined before. An unknown name
stays as it is written. `$$` is a literal `$`, so `$$(NAME)` gives `$(NAME)`. Values of `fieldRef` come from the Pod. Of
variables with the same name the last one is kept, at its own position.
"""

from __future__ import annotations

from podward.api.core import Container, EnvVar, Pod
from podward.api.cri import KeyValue
from podward.api.effective import Place
from podward.api.referenced_objects import ReferencedObjects
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, refuse
from podward.path import Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} environment")
NO_FIELD = "no such field can be read without an API server"


def expand(text: str, known: dict[str, str]) -> str:
    """`text` with each `$(NAME)` replaced by the value that `known` has for NAME."""
    if "$" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        char = text[at]
        following = text[at + 1 : at + 2]
        if char == "$" and following == "$":
            out.append("$")
            at += 2
        elif char == "$" and following == "(" and (end := text.find(")", at + 2)) >= 0:
            name = text[at + 2 : end]
            out.append(known.get(name, text[at : end + 1]))
            at = end + 1
        else:
            out.append(char)
            at += 1
    return "".join(out)


def decide(pod: Pod, container: Container, place: Place, objects: ReferencedObjects, pod_ip: str) -> Decision:
    """`command`, `args` and `envs`; a violation for each variable whose value needs an API server."""
    del objects
    known: dict[str, str] = {}
    rows: list[tuple[KeyValue, Path]] = []
    refusals = Decision()
    for index, variable in enumerate(container.env or ()):
        where = place.container / "env" / index
        value = _value(pod, variable, known, pod_ip)
        if value is None:
            refusals += refuse(where / "valueFrom", variable.name, NO_FIELD, RULE)
            continue
        known[variable.name] = value
        rows.append((KeyValue(variable.name, value), where))
    last = {row.key: i for i, (row, _) in enumerate(rows)}
    kept = [row for i, row in enumerate(rows) if last[row[0].key] == i]
    envs = tuple(
        Assignment(path("envs", i), row, "env", Source(Origin.MANIFEST, place.document, where))
        for i, (row, where) in enumerate(kept)
    )
    words = _words("command", container.command, known, place) + _words("args", container.args, known, place)
    return Decision(envs + words) + refusals


def _words(name: str, written: tuple[str, ...] | None, known: dict[str, str], place: Place) -> tuple[Assignment, ...]:
    if not written:
        return ()
    source = Source(Origin.MANIFEST, place.document, place.container / name)
    return (Assignment(path(name), tuple(expand(word, known) for word in written), f"{name} is set", source),)


def _value(pod: Pod, variable: EnvVar, known: dict[str, str], pod_ip: str) -> str | None:
    """The variable's value; None if it needs an API server."""
    if variable.value_from is None:
        return expand(variable.value or "", known)
    reference = variable.value_from.field_ref
    return None if reference is None else field_value(pod, reference.field_path or "", pod_ip)


def field_value(pod: Pod, field: str, pod_ip: str) -> str | None:
    """The value of this field path in the downward API; None if it is not known here."""
    meta = pod.metadata
    fixed = {
        "metadata.name": meta.name or "",
        "metadata.namespace": meta.namespace or "",
        "metadata.uid": meta.uid or "",
        "spec.serviceAccountName": pod.spec.service_account_name or "default",
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
        "status.hostIP": "127.0.0.1",
        "status.hostIPs": "127.0.0.1",
        "spec.nodeName": "localhost",
    }
    if field in fixed:
        return fixed[field]
    for table, values in (("metadata.labels", meta.labels), ("metadata.annotations", meta.annotations)):
        if field.startswith(f"{table}['") and field.endswith("']"):
            return (values or {}).get(field[len(table) + 2 : -2]) or ""
    return None
