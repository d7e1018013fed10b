"""The Pods of Argo's workflows: each template that runs containers is one.

Specification: Argo Workflows v3, workflow/controller/workflowpod.go: a Pod has the template's `container` or `script`
(called `main`), or the containers of its `containerSet`, and its `initContainers` and `sidecars`; the security context,
service account, scheduling and DNS of the template, or else of the workflow; `hostNetwork` and such from the workflow;
volumes of both, and one for each claim template. `templateDefaults` hold for templates that say nothing. It is never
restarted. Steps and tasks may have a template of their own (`inline`). The containers that Argo adds (`init`, `wait`)
are the controller's, not the author's, and a `podSpecPatch` is a template's text: neither is looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.schema.assembled import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json, JsonObject

_OF_BOTH = (
    "securityContext",
    "serviceAccountName",
    "automountServiceAccountToken",
    "hostAliases",
    "nodeSelector",
    "affinity",
    "tolerations",
    "schedulerName",
)
"""Fields of a Pod's spec that a template says, or else the workflow."""
_OF_WORKFLOW = ("hostNetwork", "dnsPolicy", "dnsConfig", "imagePullSecrets")
_CONTAINERS = "containers"
_OWN_FIELDS = frozenset(("source", "dependencies", "mirrorVolumeMounts"))
"""What Argo's containers have beside a container's own fields."""


def pods_in(raw: JsonObject, at: Path) -> Iterator[tuple[Path, tuple[Part, ...]]]:
    """The parts of each Pod of the workflow whose spec stands at `at`, with the place of its template."""
    spec = _at(raw, at)
    defaults = member(spec, "templateDefaults")
    for place, template in _templates(spec, at):
        given = ((template, place), (defaults, at / "templateDefaults"))
        parts = tuple(_parts(_Places(spec, at, given)))
        if any(part.at.segments[1] in {_CONTAINERS, "initContainers"} for part in parts if len(part.at.segments) > 1):
            yield place, parts


class _Places:
    """A workflow's spec, one of its templates, and what holds where the template says nothing; each with its place."""

    def __init__(self, spec: JsonObject, at: Path, given: tuple[tuple[JsonObject, Path], ...]) -> None:
        self.spec = spec
        self.at = at
        self.given = given

    def said(self, name: str) -> tuple[Json, Path] | None:
        """What the template says, or the defaults, and where."""
        for node, place in self.given:
            if node.get(name) is not None:
                return node[name], place / name
        return None


def _templates(spec: JsonObject, at: Path) -> Iterator[tuple[Path, JsonObject]]:
    for index, template in enumerate(_objects(spec.get("templates"))):
        place = at / "templates" / index
        yield place, template
        for group, steps in enumerate(_list(template.get("steps"))):
            for number, step in enumerate(_objects(steps)):
                if isinstance(step.get("inline"), dict):
                    yield place / "steps" / group / number / "inline", member(step, "inline")
        for number, task in enumerate(_objects(member(template, "dag").get("tasks"))):
            if isinstance(task.get("inline"), dict):
                yield place / "dag" / "tasks" / number / "inline", member(task, "inline")


def _parts(places: _Places) -> Iterator[Part]:
    """The parts of a template's Pod; none of its containers where it runs none."""
    yield Part(path("spec", "restartPolicy"), places.given[0][1], "Never")
    yield from _shared(places)
    main = places.said("container") or places.said("script")
    count = 0
    if main is not None and isinstance(main[0], dict):
        yield _container(main[0], main[1], path("spec", _CONTAINERS, 0), "main")
        count = 1
    several = places.said("containerSet")
    if several is not None and isinstance(several[0], dict):
        for index, each in enumerate(_objects(several[0].get(_CONTAINERS))):
            yield _container(each, several[1] / _CONTAINERS / index, path("spec", _CONTAINERS, count), "")
            count += 1
    for name, of_pod, start in (("sidecars", _CONTAINERS, count), ("initContainers", "initContainers", 0)):
        listed = places.said(name)
        for index, each in enumerate(_objects(listed[0]) if listed is not None else ()):
            written = listed[1] / index if listed is not None else Path()
            yield _container(each, written, path("spec", of_pod, start + index), "")


def _container(value: JsonObject, written: Path, at: Path, name: str) -> Part:
    own = {key: item for key, item in value.items() if key not in _OWN_FIELDS}
    return Part(at, written, {**own, "name": name} if name else own)


def _shared(places: _Places) -> Iterator[Part]:
    for name in _OF_BOTH:
        said = places.said(name)
        if said is not None:
            yield Part(path("spec", name), said[1], said[0])
        elif places.spec.get(name) is not None:
            yield Part(path("spec", name), places.at / name, places.spec[name])
    for name in _OF_WORKFLOW:
        if places.spec.get(name) is not None:
            yield Part(path("spec", name), places.at / name, places.spec[name])
    count = 0
    own = places.said("volumes")
    for listed, place in (own or (None, Path()), (places.spec.get("volumes"), places.at / "volumes")):
        for index, volume in enumerate(_objects(listed)):
            yield Part(path("spec", "volumes", count), place / index, volume)
            count += 1
    for index, claim in enumerate(_objects(places.spec.get("volumeClaimTemplates"))):
        name_of_claim = member(claim, "metadata").get("name")
        made: JsonObject = {"name": name_of_claim, "persistentVolumeClaim": {"claimName": name_of_claim}}
        yield Part(path("spec", "volumes", count), places.at / "volumeClaimTemplates" / index, made)
        count += 1


def _at(raw: JsonObject, at: Path) -> JsonObject:
    for step in at.segments:
        raw = member(raw, str(step))
    return raw


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _objects(value: Json) -> list[JsonObject]:
    """The objects of a list; another item leaves a gap that has nothing in it."""
    return [item if isinstance(item, dict) else {} for item in _list(value)]
