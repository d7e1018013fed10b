"""References to fields of the Pod and to resources of a container, from a variable or a file.

Specification: Kubernetes, validateObjectFieldSelector, validateContainerResourceFieldSelector,
validateContainerResourceDivisor, ConvertDownwardAPIFieldLabel, SplitMaybeSubscriptedPath. One label or annotation is
`metadata.labels['key']`, whose key is checked and printed at the reference itself.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.decision import Decision
from podward.schema.validation.field import NOTHING, Place, each, invalid, required, unsupported_text
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_OF_VARIABLES = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_OF_FILES = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_KNOWN = frozenset((*_OF_VARIABLES, *_OF_FILES, "spec.restartPolicy", "spec.schedulerName", "status.phase"))
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1", "cpu"),
    "memory": (_SIZES, ", ".join(_SIZES), "memory"),
    "ephemeral-storage": (_SIZES, ", ".join(_SIZES), "local ephemeral storage"),
}


def field_of_variable(reference: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `fieldRef` of an environment variable."""
    return _field(reference, at, _OF_VARIABLES)


def field_of_file(reference: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `fieldRef` of a volume's file."""
    return _field(reference, at, _OF_FILES)


def resource_of_variable(reference: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `resourceFieldRef` of an environment variable, which may mean its own container."""
    return _resource(reference, at) + _divisor(reference, at)


def resource_of_file(reference: JsonObject, at: Place) -> Decision:
    """The `resourceFieldRef` of a volume's file, which must name a container."""
    if not text(reference, "containerName"):
        return required(at / "containerName") + _divisor(reference, at)
    return _resource(reference, at) + _divisor(reference, at)


def _field(reference: JsonObject, at: Place, known: tuple[str, ...]) -> Decision:
    version, path = text(reference, "apiVersion") or "v1", text(reference, "fieldPath")
    if not path:
        return required(at / "fieldPath")
    name, subscript = _subscripted(path)
    if subscript is not None:
        wrong = _subscript_fault(version, path, name)
        if wrong:
            return invalid(at / "fieldPath", path, f"error converting fieldPath: {wrong}")
        key = subscript.lower() if name == "metadata.annotations" else subscript
        return each(at, key, key_faults(key))
    name = "spec.nodeName" if path == "spec.host" else path
    if version != "v1" or name not in _KNOWN:
        wrong = f"field label not supported: {path}" if version == "v1" else f"unsupported pod version: {version}"
        return invalid(at / "fieldPath", path, f"error converting fieldPath: {wrong}")
    return NOTHING if name in known else unsupported_text(at / "fieldPath", name, known)


def _subscript_fault(version: str, path: str, name: str) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if name not in {"metadata.annotations", "metadata.labels"}:
        return f"field label does not support subscript: {path}"
    return ""


def _subscripted(path: str) -> tuple[str, str | None]:
    """`metadata.labels['key']` as its two parts; None without a key."""
    name, opening, key = path.removesuffix("']").partition("['")
    return (name, key) if path.endswith("']") and opening and name else (path, None)


def _resource(reference: JsonObject, at: Place) -> Decision:
    resource = text(reference, "resource")
    if not resource:
        return required(at / "resource")
    if resource in _RESOURCES or resource.startswith(_HUGE_PAGES):
        return NOTHING
    return unsupported_text(at / "resource", resource, _RESOURCES)


def _divisor(reference: JsonObject, at: Place) -> Decision:
    resource, written = text(reference, "resource"), reference.get("divisor")
    divisor = parse(str(written)) if written is not None else None
    if divisor is None or divisor.units == 0:
        return NOTHING
    _, _, kind = resource.partition(".")
    known, listed, printed = _DIVISORS.get(kind, (_SIZES, ", ".join(_SIZES), "hugepages"))
    if (resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES)) or str(divisor) in known:
        return NOTHING
    detail = f"only divisor's values {listed} are supported with the {printed} resource"
    return invalid(at / "divisor", resource, detail)
