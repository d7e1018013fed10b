"""The template of a Pod in a workload: validated by the rules of Pods, warned about as a Pod would be.

Specification: Kubernetes, ValidatePodTemplateSpec, pkg/api/pod GetWarningsForPodTemplate. What only a Pod is asked is
left out: what its images are called exactly, and whose its tokens are. Labels and annotations are told of as fields of
the template itself. What is behind gates that are off is dropped, as it is of a Pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema import warnings
from podward.schema.dropped_fields import dropped
from podward.schema.old_annotations import container_seccomp
from podward.schema.strategies import apparmor_annotations
from podward.schema.strategies.equality import same
from podward.schema.validation import (
    apparmor,
    containers,
    labels,
    metadata,
    pod_annotations,
    scheduling,
    seccomp,
    volumes,
)
from podward.schema.validation.field import NOTHING, SOURCE, Place, forbidden
from podward.schema.validation.pod import annotations_speak
from podward.schema.validation.rules import Code, Rule
from podward.schema.validation.table import PODS
from podward.schema.validation.table import WALKS as OF_PODS
from podward.schema.validation.walk import Scope, Walks
from podward.schema.view import pod_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.core import Container, Pod
    from podward.api.json_value import Json, JsonObject

_OF_PODS_ALONE = (volumes.tokens, containers.images, containers.not_created, scheduling.bound_and_gated)
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def _of_template(rule: Rule) -> bool:
    return not (isinstance(rule, Code) and rule.rule in _OF_PODS_ALONE)


_WALKS = Walks(
    {
        "PodSpec/template": [rule for rule in PODS["PodSpec"] if _of_template(rule)],
        "ObjectMeta/template": (
            Code(labels.of("labels"), ("labels",)),
            Code(metadata.check_annotations, ("annotations",)),
        ),
    },
    OF_PODS,
)


def check(template: JsonObject, at: Place) -> Decision:
    """Everything that is wrong with a template."""
    scope, of = Scope(_WALKS, "", template), member(template, "metadata")
    found: list[Decision] = []
    if of.get("labels") or of.get("annotations"):
        found.append(scope.check("ObjectMeta/template", of, at))
    speaks, place = annotations_speak(of), at / "spec"
    if speaks:
        found += [_annotations(template, scope, at / "annotations")]
    found.append(scope.check("PodSpec/template", scope.spec, place))
    if speaks:
        found += [seccomp.agreement(template, place.path), apparmor.agreement(template, place.path)]
    if scope.spec.get("ephemeralContainers"):
        found.append(forbidden(place / "ephemeralContainers", "ephemeral containers not allowed in pod template"))
    return merge(*found)


def meaning(template: JsonObject, at: Place) -> Decision:
    """What annotations of a template mean, once more where a kind asks for it."""
    if not annotations_speak(member(template, "metadata")):
        return NOTHING
    return _annotations(template, Scope(_WALKS, "", template), at)


def _annotations(template: JsonObject, scope: Scope, at: Place) -> Decision:
    of = member(template, "metadata")
    return merge(
        pod_annotations.check(of, scope.spec, at),
        seccomp.check_annotations(of, at),
        apparmor.check_annotations(template, at),
    )


def warned(template: JsonObject, prefix: str) -> tuple[str, ...]:
    """The warnings about a valid template; `prefix` is where it stands."""
    named: JsonObject = {**template, "metadata": {**member(template, "metadata"), "name": ""}}
    found = warnings.on_create(pod_view(named), named, _annotations_of)
    return tuple([_placed(warning, f"{prefix}.") for warning in found])


def _annotations_of(template: Pod, container: Container) -> Iterator[str]:
    yield from container_seccomp(template, container)
    yield from apparmor_annotations.of_container(template, container)


def _placed(warning: str, prefix: str) -> str:
    if warning.startswith(("spec.", "metadata.")):
        warning = prefix + warning
    for before in (" definition with ", " by name will use "):
        warning = warning.replace(f"{before}spec.", f"{before}{prefix}spec.")
    return warning


def without_disabled(template: JsonObject, old: JsonObject | None = None) -> JsonObject:
    """The template without what is behind gates that are off; a template that has not changed is left alone."""
    if old is not None and same(template, old):
        return template
    for gone in list(dropped(template, _CONTAINERS, SOURCE)):
        if gone.path.segments[0] == "spec":
            template = _taken_out(template, gone.path.segments)
    return template


def _taken_out(holder: JsonObject, way: tuple[object, ...]) -> JsonObject:
    made: JsonObject = dict(holder)
    step = str(way[0])
    if len(way) == 1:
        made.pop(step, None)
        return made
    value: Json = made[step]
    if isinstance(value, list):
        index, items = way[1], list(value)
        item = items[index] if isinstance(index, int) else None
        if isinstance(item, dict) and isinstance(index, int):
            items[index] = _taken_out(item, way[2:])
        made[step] = items
    elif isinstance(value, dict):
        made[step] = _taken_out(value, way[1:])
    return made
