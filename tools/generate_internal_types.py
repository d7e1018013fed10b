"""Writes src/podward/schema/strategies/internal_types.py, a table of the types that an API server has inside.

    .venv/bin/python tools/generate_internal_types.py CHECKOUT

CHECKOUT is a checkout of Kubernetes' source. The names of fields in JSON are those of the stable version of the same
type; a field that this version has elsewhere is in `MOVED`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from go_types import Field, Source

OUT = Path(__file__).parents[1] / "src/podward/schema/strategies/internal_types.py"
GROUPS = {
    "core": "v1", "apps": "v1", "batch": "v1", "autoscaling": "v2", "networking": "v1", "storage": "v1", "node": "v1",
    "policy": "v1", "discovery": "v1", "admissionregistration": "v1", "flowcontrol": "v1", "certificates": "v1",
    "authorization": "v1", "rbac": "v1", "resource": "v1",
}  # fmt: skip
ROOTS = (
    "core.PodSpec", "core.PodTemplateSpec", "core.PersistentVolumeClaimSpec", "core.ServicePort", "core.Taint",
    "core.TopologySelectorTerm", "core.VolumeNodeAffinity", "core.ScopeSelector", "core.LoadBalancerIngress",
    "core.EphemeralContainer", "core.PodIP", "core.ContainerStatus", "core.ResourceRequirements",
    "batch.SuccessPolicy", "batch.PodFailurePolicy", "batch.UncountedTerminatedPods", "storage.VolumeAttachmentSource",
    "storage.TokenRequest", "storage.CSINodeDriver", "autoscaling.MetricSpec", "networking.IngressBackend",
    "networking.IPBlock", "networking.ParentReference", "node.Overhead",
    "policy.PodDisruptionBudgetSpec", "authorization.NonResourceAttributes",
    "authorization.ResourceAttributes", "flowcontrol.PriorityLevelConfigurationSpec", "flowcontrol.FlowSchemaSpec",
    "flowcontrol.Subject", "certificates.CertificateSigningRequestSpec",
    "certificates.CertificateSigningRequestCondition", "resource.ResourceClaimSpec",
    "resource.ResourceClaimTemplateSpec",
)  # fmt: skip
"""What the server prints, or compares line by line."""
MOVED = {
    ("core.PodSecurityContext", name): name[0].lower() + name[1:]
    for name in ("HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers")
}
SCALARS = {
    "string": "s", "bool": "b", "int": "i", "int32": "i", "int64": "i", "byte": "y", "resource.Quantity": "q",
    "intstr.IntOrString": "i", "metav1.Time": "t", "metav1.MicroTime": "t", "types.UID": "s", "float64": "i",
    "metav1.LabelSelector": "L", "metav1.ObjectMeta": "M", "metav1.TypeMeta": "T", "metav1.Duration": "s",
    "metav1.OwnerReference": "r", "any": "r", "metav1.FieldSelectorRequirement": "r",
    "metav1.LabelSelectorRequirement": "r", "runtime.RawExtension": "r", "runtime.Object": "r",
}  # fmt: skip


class Internal:
    """The types that are reached from ROOTS."""

    def __init__(self, checkout: Path) -> None:
        self.outside, self.inside = Source(checkout), Source(checkout)
        self.inside._staging = checkout / "pkg" / "apis"  # noqa: SLF001 - the packages that no other program imports
        for group, version in GROUPS.items():
            self.inside.read(group)
            self.outside.read(f"k8s.io/api/{group}/{version}")
        self.table: dict[str, list[str]] = {}

    def add(self, name: str) -> None:
        """Put a type, and all that it has, into the table."""
        if name in self.table:
            return
        group, _, own = name.partition(".")
        self.table[name] = []
        self.table[name] += [
            f"{field.name or '+'}:{self._json(name, field)}:{self._code(group, field.type)}"
            for field in self.inside.structs[group][own]
        ]

    def _json(self, of: str, field: Field) -> str:
        if not field.name:
            return ""
        if (of, field.name) in MOVED:
            return MOVED[of, field.name]
        group, _, own = of.partition(".")
        theirs = self.outside.structs[f"k8s.io/api/{group}/{GROUPS[group]}"].get(own, [])
        for found in theirs:
            if found.name.lower() == field.name.lower():
                return found.json
        return field.name[0].lower() + field.name[1:]

    def _code(self, group: str, type_: str) -> str:
        if type_.startswith("*"):
            return f"*{self._code(group, type_[1:])}"
        if type_ == "[]byte":
            return "y"
        if type_.startswith("[]"):
            return f"[{self._code(group, type_[2:])}"
        if type_.startswith("map["):
            return f"{{{self._code(group, type_[type_.index(']') + 1 :])}"
        return SCALARS[type_] if type_ in SCALARS else self._named(group, type_)

    def _named(self, group: str, type_: str) -> str:
        alias, _, own = type_.rpartition(".")
        where = {"": group, "api": "core"}.get(alias, alias)
        named = self.inside.named.get(where, {}).get(own)
        if named is not None:
            return self._code(where, named)
        if where not in self.inside.structs or own not in self.inside.structs[where]:
            raise SystemExit(f"unknown type {type_} in {group}")
        self.add(f"{where}.{own}")
        return f"{where}.{own}"


HEAD = '''"""The types that an API server has inside, for what it prints of them.

Generated by tools/generate_internal_types.py: do not edit. From the Go types of Kubernetes.

Of each type its fields in order: name in Go, name in JSON, type; `+` for a type whose fields stand in its place. A
type is a code, or the name of a type: `s` text, `b` boolean, `i` number or text, `q` quantity, `t` time, `y` bytes,
`L` label selector, `M` metadata, `r` as it is. `*` before it makes a pointer, `[` a list, `{` a map.
"""
# ruff: noqa: E501  # one type a line
# fmt: off

TYPES: dict[str, str] = {
'''


def main() -> None:
    """Write the table."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    internal = Internal(Path(sys.argv[1]))
    for root in ROOTS:
        internal.add(root)
    lines = [f'    "{name}": "{" ".join(fields)}",\n' for name, fields in sorted(internal.table.items())]
    OUT.write_text(HEAD + "".join(lines) + "}\n")


if __name__ == "__main__":
    main()
