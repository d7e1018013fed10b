"""Whether a document is a plain workload, and what is to be known of it then.

Specification: for every document that is plain, `workload.pod_sources` gives exactly one Pod, and what `defaulting` and
ServiceAccount admission make of that has nothing against it in `validation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, ValidationError, convert

from podward.api.json_value import JsonObject
from podward.path import Path
from podward.schema.fit import fits
from podward.schema.plain import workloads
from podward.schema.plain.meta import PlainMeta, as_written, is_meta
from podward.schema.plain.pod import PlainSpec, is_sound
from podward.schema.validation.names import label_faults, subdomain_faults

_NO_CLAIMS: frozenset[str] = frozenset()
_HERE = Path()


class KnownValid(Struct, frozen=True, gc=False):
    """A plain workload: its kind, name and namespace (empty where it names none), and its Pod's spec.

    `metadata` are those of the objects from the workload down to the Pod's template; `at` is the workload's place in
    its document.
    """

    kind: str
    name: str
    namespace: str
    spec: PlainSpec
    metadata: tuple[PlainMeta | None, ...]
    at: Path = _HERE

    @property
    def says_namespace(self) -> bool:
        """Whether the workload, or its template, names a namespace."""
        return any(each is not None and each.namespace for each in self.metadata)


def plain(raw: JsonObject, at: Path = _HERE) -> KnownValid | None:
    """The plain workload that the object is; None for every other, be it sound or not.

    `at` is its place, in a document that holds several.
    """
    kind = raw.get("kind")
    if type(kind) is not str or kind not in _INSIDE:
        return None
    as_type, inside = _INSIDE[kind]
    found = _converted(raw, kind, as_type)
    if found is None:
        return None
    metadata = found.metadata
    name, prefix = metadata.name, metadata.generate_name
    if prefix:
        if subdomain_faults(prefix.removesuffix("-")):
            return None
        name = prefix.rstrip("-") if name is None else name
    if not name or subdomain_faults(name) or (metadata.namespace and label_faults(metadata.namespace)):
        return None
    below, spec, claims = inside(found)
    pods = below[-1] if below else metadata
    if claims is None or (pods is not None and not is_meta(pods)) or not is_sound(spec, kind, name, claims):
        return None
    return KnownValid(kind, name, metadata.namespace, spec, (metadata, *below), at)


def _converted(raw: JsonObject, kind: str, as_type: type[workloads.Workload]) -> workloads.Workload | None:
    """The workload without what a server adds to it; None if it is not plain."""
    try:
        return convert(raw, as_type)
    except ValidationError:
        written = as_written(raw, kind, kind)  # every type of a workload is called as its kind is
    try:
        return None if written is None else convert(written, as_type)
    except ValidationError:
        return None


_Below = tuple[PlainMeta | None, ...]
_Parts = tuple[_Below, PlainSpec, frozenset[str] | None]
"""The metadata below the workload's own, its Pod, and the volumes made for that; None if anything else is unsound."""
_Inside = Callable[..., _Parts]


def _of_pod(found: workloads.Pod) -> _Parts:
    return (), found.spec, _NO_CLAIMS


def _of_template(found: workloads.PodTemplate) -> _Parts:
    return (found.template.metadata,), found.template.spec, _NO_CLAIMS


def _of_controller(found: workloads.Controller) -> _Parts:
    template = found.spec.template
    return (template.metadata,), template.spec, _NO_CLAIMS


def _of_stateful_set(found: workloads.StatefulSet) -> _Parts:
    template = found.spec.template
    return (template.metadata,), template.spec, _claims(found.spec.volume_claim_templates or ())


def _of_job(found: workloads.Job) -> _Parts:
    template = found.spec.template
    return (template.metadata,), template.spec, _NO_CLAIMS if _fails(found.spec) else None


def _of_cron_job(found: workloads.CronJob) -> _Parts:
    job = found.spec.job_template
    template = job.spec.template
    return (job.metadata, template.metadata), template.spec, _NO_CLAIMS if _fails(job.spec) else None


_INSIDE: Mapping[str, tuple[type[workloads.Workload], _Inside]] = {
    "Pod": (workloads.Pod, _of_pod),
    "PodTemplate": (workloads.PodTemplate, _of_template),
    "Deployment": (workloads.Deployment, _of_controller),
    "ReplicaSet": (workloads.ReplicaSet, _of_controller),
    "StatefulSet": (workloads.StatefulSet, _of_stateful_set),
    "DaemonSet": (workloads.DaemonSet, _of_controller),
    "ReplicationController": (workloads.ReplicationController, _of_controller),
    "Job": (workloads.Job, _of_job),
    "CronJob": (workloads.CronJob, _of_cron_job),
}
"""DeploymentConfig, which nobody writes any more, is looked at in full."""


def _fails(spec: workloads.JobSpec) -> bool:
    """Whether a Job says in the right form when it fails."""
    return spec.pod_failure_policy is None or fits(spec.pod_failure_policy, "PodFailurePolicy")


def _claims(templates: tuple[workloads.ClaimTemplate, ...]) -> frozenset[str] | None:
    """The names of the volumes that a StatefulSet makes; None if something can be said against them."""
    names: set[str] = set()
    for claim in templates:
        name = claim.metadata.name
        if not name or label_faults(name):
            return None
        if claim.spec is not None and not fits(claim.spec, "PersistentVolumeClaimSpec"):
            return None
        if claim.status is not None and not fits(claim.status, "PersistentVolumeClaimStatus"):
            return None
        names.add(name)
    return frozenset(names)
