"""Which kinds hold Pods, and where: one table, and the rows that a configuration adds.

Specification: Kubernetes; OpenShift's apps/v1; Argo Rollouts v1alpha1, where a Rollout may refer to a Deployment's
template instead of holding one; Argo Workflows v1alpha1 (`schema.workflows`); Knative serving/v1 and sources/v1;
operators.coreos.com/v1alpha1, whose install strategy lists Deployments; KEDA v1alpha1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.path import Path, path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from podward.api.json_value import Json, JsonObject

TEMPLATES = {
    "Pod": Path(),
    "PodTemplate": path("template"),
    "Deployment": path("spec", "template"),
    "ReplicaSet": path("spec", "template"),
    "StatefulSet": path("spec", "template"),
    "DaemonSet": path("spec", "template"),
    "ReplicationController": path("spec", "template"),
    "DeploymentConfig": path("spec", "template"),
    "Job": path("spec", "template"),
    "CronJob": path("spec", "jobTemplate", "spec", "template"),
}
"""Where the Pod, or its template, is in an object of each kind that `schema.table` describes in full."""

EACH = "*"
"""A step of a row's path that means every item of a list."""


class PodKind(Struct, frozen=True):
    """A kind of custom resource with the places of the Pod templates, or of the Pods' specs, in its objects.

    A place is written as `spec.template`, `spec.deployments[*].spec.template`. `more` are the fields that a Pod's spec
    has there beside its own; None where nobody knows which. `listed` is the kind of what stands in a list around a
    template, which has a name of its own.
    """

    kind: str
    group: str
    places: tuple[str, ...]
    more: tuple[str, ...] | None = ()
    listed: str = ""

    def templates(self, raw: JsonObject) -> Iterator[Path]:
        """Where they are in this object."""
        for place in self.places:
            for found in _matching(raw, steps_of(place), ()):
                yield Path(found)


def steps_of(place: str) -> tuple[str, ...]:
    """The steps of a place; empty for none."""
    return tuple(step for step in place.replace("[*]", f".{EACH}").split(".") if step)


def _matching(node: Json, steps: tuple[str, ...], at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if not steps:
        if isinstance(node, dict):
            yield at
    elif steps[0] == EACH:
        for index, item in enumerate(node if isinstance(node, list) else ()):
            yield from _matching(item, steps[1:], (*at, index))
    elif isinstance(node, dict):
        yield from _matching(node.get(steps[0]), steps[1:], (*at, steps[0]))


_KNATIVE = ("containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds")
_ANALYSIS = ("spec.metrics[*].provider.job.spec.template",)
KNATIVE = "serving.knative.dev"
_BUILT_IN = (
    PodKind("Rollout", "argoproj.io", ("spec.template",)),
    PodKind("Experiment", "argoproj.io", ("spec.templates[*].template",)),
    PodKind("AnalysisTemplate", "argoproj.io", _ANALYSIS),
    PodKind("ClusterAnalysisTemplate", "argoproj.io", _ANALYSIS),
    PodKind("AnalysisRun", "argoproj.io", _ANALYSIS),
    PodKind("Service", KNATIVE, ("spec.template",), _KNATIVE),
    PodKind("Configuration", KNATIVE, ("spec.template",), _KNATIVE),
    PodKind("Revision", KNATIVE, ("",), _KNATIVE),
    PodKind("ContainerSource", "sources.knative.dev", ("spec.template",)),
    PodKind(
        "ClusterServiceVersion",
        "operators.coreos.com",
        ("spec.install.spec.deployments[*].spec.template",),
        listed="Deployment",
    ),
    PodKind("ScaledJob", "keda.sh", ("spec.jobTargetRef.template",)),
)

PodKinds = dict[tuple[str, str], PodKind]
"""The rows by group and kind."""
BUILT_IN: PodKinds = {(row.group, row.kind): row for row in _BUILT_IN}
WORKFLOWS: Mapping[str, Path] = {
    "Workflow": path("spec"),
    "WorkflowTemplate": path("spec"),
    "ClusterWorkflowTemplate": path("spec"),
    "CronWorkflow": path("spec", "workflowSpec"),
}
"""Where Argo's workflows are; what their Pods are made of, `schema.workflows` says."""
ARGO = "argoproj.io"


def with_rows(rows: Iterable[PodKind]) -> PodKinds:
    """The table with these rows of a configuration; one for a kind that it has takes the place of its own."""
    return {**BUILT_IN, **{(row.group, row.kind): row for row in rows}}


def is_known(group: str, kind: str, kinds: PodKinds) -> bool:
    """Whether it is known where an object of this custom kind holds its Pods."""
    return (group, kind) in kinds or (group == ARGO and kind in WORKFLOWS)


def holds_containers(value: Json) -> bool:
    """Whether a list of containers, or a container, stands anywhere in an object."""
    if isinstance(value, list):
        return any(map(holds_containers, value))
    if not isinstance(value, dict):
        return False
    for name, inside in value.items():
        if name in _LISTS and isinstance(inside, list) and any(map(_is_container, inside)):
            return True
        if name in _SINGLE and _is_container(inside):
            return True
        if isinstance(inside, dict | list) and holds_containers(inside):
            return True
    return False


_LISTS = frozenset(("containers", "initContainers", "ephemeralContainers", "sidecars", "steps"))
_SINGLE = frozenset(("container", "script"))


def _is_container(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("image"), str)
