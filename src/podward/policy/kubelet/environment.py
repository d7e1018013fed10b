"""The command, its arguments and the environment of a container, with `$(NAME)` expanded.

Specification (kubelet and k8s.io/kubernetes third_party/forked/golang/expansion, in our words): in command, args
and later env values `$(NAME)` becomes the value of an environment variable that was defined before. An unknown name
stays as it is written. `$$` is a literal `$`, so `$$(NAME)` gives `$(NAME)`. Values of `fieldRef` come from the Pod. Of
variables with the same name the last one is kept, at its own position.

The kubelet expands without bounds, and variables that double each other would take all memory. Here an expanded text
ends as soon as it is longer than any string that execve(2) takes, so the kernel stage refuses it, or all that contains
it; and a container whose expanded texts are together longer than `MOST` is refused.
"""

from __future__ import annotations

from podward.api.core import Container, EnvVar, Pod
from podward.api.cri import KeyValue
from podward.api.effective import Place
from podward.api.oci import LONGEST_STRING
from podward.api.referenced_objects import ReferencedObjects
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, assign, merge, refuse
from podward.path import Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} environment")
NO_FIELD = "no such field can be read without an API server"
MOST = 32 << 20
"""Characters of all expanded texts of a container: five times what execve(2) takes on any machine."""
TOO_MUCH = "it expands to more than 32 MiB, and execve(2) takes 6 MiB at most (E2BIG, Argument list too long)"


def expand(text: str, known: dict[str, str]) -> str:
    """`text` with each `$(NAME)` replaced by the value that `known` has for NAME; cut where execve takes no more."""
    out: list[str] = []
    at = size = 0
    while size <= LONGEST_STRING and (dollar := text.find("$", at)) >= 0:
        piece, after = _reference(text, dollar, known)
        out += (text[at:dollar], piece)
        size += dollar - at + len(piece)
        at = after
    if size <= LONGEST_STRING:
        out.append(text[at:])
    return "".join(out)


def _reference(text: str, dollar: int, known: dict[str, str]) -> tuple[str, int]:
    """What the `$` at this index and what belongs to it become, and the index of what follows."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return "$", dollar + 2
    end = text.find(")", dollar + 2) if following == "(" else -1
    if end < 0:
        return "$", dollar + 1
    return known.get(text[dollar + 2 : end], text[dollar : end + 1]), end + 1


def decide(pod: Pod, container: Container, place: Place, objects: ReferencedObjects, pod_ip: str) -> Decision:
    """`command`, `args` and `envs`; a violation for each variable whose value needs an API server."""
    del objects
    known: dict[str, str] = {}
    rows: list[tuple[KeyValue, Path]] = []
    refusals = Decision()
    left = MOST
    for index, variable in enumerate(container.env or ()):
        where = place.container / "env" / index
        value = _value(pod, variable, known, pod_ip)
        if value is None:
            refusals += refuse(where / "valueFrom", variable.name, NO_FIELD, RULE)
            continue
        left -= len(value)
        if left < 0:
            return refuse(where / "value", variable.name, TOO_MUCH, RULE)
        known[variable.name] = value
        rows.append((KeyValue(variable.name, value), where))
    last = {row.key: i for i, (row, _) in enumerate(rows)}
    kept = [row for i, row in enumerate(rows) if last[row[0].key] == i]
    envs = tuple(
        Assignment(path("envs", i), row, "env", Source(Origin.MANIFEST, place.document, where))
        for i, (row, where) in enumerate(kept)
    )
    return merge(
        Decision(envs),
        _words("command", container.command, known, place),
        _words("args", container.args, known, place),
        refusals,
    )


def _words(name: str, written: tuple[str, ...] | None, known: dict[str, str], place: Place) -> Decision:
    if not written:
        return Decision()
    expanded, left = [], MOST
    for word in written:
        expanded.append(expand(word, known))
        left -= len(expanded[-1])
        if left < 0:
            return refuse(place.container / name, written[0], TOO_MUCH, RULE)
    source = Source(Origin.MANIFEST, place.document, place.container / name)
    return assign(path(name), tuple(expanded), f"{name} is set", source)


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
