"""Whether a document is a plain workload, and what is to be known of it then.

Specification: for every document that is plain, `workload.pod_sources` gives exactly one Pod, and what `defaulting`
makes of that has nothing against it in `validation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, ValidationError, convert

from podward.api.json_value import JsonObject
from podward.api.plain import workloads
from podward.api.plain.parts import PlainMeta, PlainSpec
from podward.api.plain.sound import is_sound
from podward.api.schema_fit import fits
from podward.api.validation.names import label_faults, subdomain_faults

_NO_CLAIMS: frozenset[str] = frozenset()


class Plain(Struct, frozen=True, gc=False):
    """A plain workload: its kind, name and namespace (empty where it names none), and its Pod's spec.

    `metadata` are those of the objects from the workload down to the Pod's template.
    """

    kind: str
    name: str
    namespace: str
    spec: PlainSpec
    metadata: tuple[PlainMeta | None, ...]

    @property
    def says_namespace(self) -> bool:
        """Whether the workload, or its template, names a namespace."""
        return any(each is not None and each.namespace is not None for each in self.metadata)


def plain(raw: JsonObject) -> Plain | None:
    """The plain workload that the document is; None for every other, be it sound or not."""
    kind = raw.get("kind")
    if type(kind) is not str or kind not in _INSIDE:
        return None
    as_type, inside = _INSIDE[kind]
    try:
        found = convert(raw, as_type)
    except ValidationError:
        return None
    metadata = found.metadata
    name, namespace = metadata.name, metadata.namespace
    if not name or subdomain_faults(name) or (namespace is not None and label_faults(namespace)):
        return None
    below, spec = inside(found)
    claims = _claims(found)
    if claims is None or not is_sound(spec, below[-1] if below else metadata, kind, claims):
        return None
    return Plain(kind, name, namespace or "", spec, (metadata, *below))


_Below = tuple[PlainMeta | None, ...]
_Inside = Callable[..., tuple[_Below, PlainSpec]]


def _of_pod(found: workloads.Pod) -> tuple[_Below, PlainSpec]:
    return (), found.spec


def _of_controller(
    found: workloads.Deployment | workloads.StatefulSet | workloads.DaemonSet | workloads.Job,
) -> tuple[_Below, PlainSpec]:
    template = found.spec.template
    return (template.metadata,), template.spec


def _of_cron_job(found: workloads.CronJob) -> tuple[_Below, PlainSpec]:
    job = found.spec.job_template
    template = job.spec.template
    return (job.metadata, template.metadata), template.spec


_INSIDE: Mapping[str, tuple[type[workloads.Workload], _Inside]] = {
    "Pod": (workloads.Pod, _of_pod),
    "Deployment": (workloads.Deployment, _of_controller),
    "StatefulSet": (workloads.StatefulSet, _of_controller),
    "DaemonSet": (workloads.DaemonSet, _of_controller),
    "Job": (workloads.Job, _of_controller),
    "CronJob": (workloads.CronJob, _of_cron_job),
}
"""DeploymentConfig, and the controllers that nobody writes, are looked at in full."""


def _claims(found: workloads.Workload) -> frozenset[str] | None:
    """The names of the volumes that a StatefulSet makes; None if something can be said against them."""
    if not isinstance(found, workloads.StatefulSet) or not found.spec.volume_claim_templates:
        return _NO_CLAIMS
    names: set[str] = set()
    for claim in found.spec.volume_claim_templates:
        name = claim.metadata.name
        if not name or label_faults(name) or name in names:
            return None
        if claim.spec is not None and not fits(claim.spec, "PersistentVolumeClaimSpec"):
            return None
        names.add(name)
    return frozenset(names)
