"""What the downward API gives: fields of the Pod, and the resources of its containers, as text.

Specification (Kubernetes, pkg/fieldpath, pkg/api/v1/resource and the kubelet's podFieldSelectorRuntimeValue, in
our words):
- `metadata.name`, `.namespace` and `.uid` are themselves. `metadata.labels` and `.annotations` are a line `key="value"`
  for each key, sorted, the value quoted as Go quotes. `metadata.labels['KEY']` is that value, or nothing.
- Environment variables know more than files: `spec.nodeName`, `spec.serviceAccountName`, and the addresses.
- A resource is divided by the divisor, rounded up to a whole number; no divisor, or zero, is 1. A limit of cpu, memory
  or ephemeral-storage that is missing or zero is the Pod's own; where that is, too, it is what the node can allocate. A
  request that is missing is 0.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, Pod, Resources
from podward.api.gotext import quote
from podward.api.node import Node
from podward.api.quantity import Quantity, QuantityError, parse
from podward.api.volume import ResourceSelector

_TABLES = ("metadata.labels", "metadata.annotations")
_HUGE_PAGES = "hugepages-"
_CPU = "cpu"
_OF_NODES = (_CPU, "memory", "ephemeral-storage")
_NOTHING = Quantity(0)


class Unreadable(Struct, frozen=True):
    """Why a field can't be read, in the kubelet's words."""

    reason: str


def field_text(pod: Pod, field: str) -> str | Unreadable:
    """The field of the Pod that this field path names, as a file gets it."""
    meta = pod.metadata
    of_table = {"metadata.labels": meta.labels or {}, "metadata.annotations": meta.annotations or {}}
    if field in of_table:
        values = of_table[field]
        return "\n".join(f"{key}={quote(values[key] or '')}" for key in sorted(values))
    table, bracket, key = field.partition("['")
    if bracket and field.endswith("']") and table:
        if table not in _TABLES:
            return Unreadable(f"fieldPath {quote(table)} does not support subscript")
        return of_table[table].get(key.removesuffix("']")) or ""
    plain = {"metadata.name": meta.name, "metadata.namespace": meta.namespace, "metadata.uid": meta.uid}
    if field in plain:
        return plain[field] or ""
    return Unreadable(f"unsupported fieldPath: {field}")


def resource_text(pod: Pod, selector: ResourceSelector, container: str, node: Node) -> str | Unreadable:
    """The resource of the container, in units of the selector's divisor; the selector's own container goes first."""
    wanted = selector.container_name or container
    found = _container(pod, wanted)
    if found is None:
        return Unreadable(f"container {wanted} not found")
    kind, _, name = (selector.resource or "").partition(".")
    if kind not in {"limits", "requests"} or not (name in _OF_NODES or name.startswith(_HUGE_PAGES)):
        return Unreadable(f"unsupported container resource : {selector.resource or ''}")
    amount = _amount(found.resources, kind, name)
    try:
        divisor = parse(str(selector.divisor)) if selector.divisor is not None else _NOTHING
    except QuantityError as error:
        return Unreadable(str(error))
    if kind == "limits" and not amount.units and name in _OF_NODES:
        of_pod = _amount(pod.spec.resources, kind, name)
        amount = of_pod if of_pod.units else _of_node(node, name)
    return str(_divided(amount, divisor if divisor.units else parse("1"), name))


def _container(pod: Pod, name: str) -> Container | None:
    spec = pod.spec
    every = (*(spec.containers or ()), *(spec.init_containers or ()))
    return next((container for container in every if container.name == name), None)


def _amount(resources: Resources | None, kind: str, name: str) -> Quantity:
    written = None if resources is None else resources.limits if kind == "limits" else resources.requests
    amount = (written or {}).get(name)
    return _NOTHING if amount is None else parse(str(amount))


def _of_node(node: Node, name: str) -> Quantity:
    if name == _CPU:
        return parse(str(node.cpus))
    return parse(str(node.memory if name == "memory" else node.ephemeral_storage))


def _divided(amount: Quantity, divisor: Quantity, name: str) -> int:
    """Rounded up; processors are counted in thousandths, everything else in whole units."""
    parts, unit = (amount.milli_value, divisor.milli_value) if name == _CPU else (amount.value, divisor.value)
    return -(-parts // unit)
