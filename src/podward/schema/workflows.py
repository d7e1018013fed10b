"""The Pods of Argo's workflows: each template that runs containers is one.

Specification: Argo Workflows v3, workflow/controller/workflowpod.go: a Pod has the template's `container` or `script`
(called `main`), or the containers of its `containerSet`, and its `initContainers` and `sidecars`; the security context,
service account, scheduling and DNS of the template, or else of the workflow; `hostNetwork` and such from the workflow;
volumes of both, and one for each claim template. `templateDefaults` hold for templates that say nothing. It is never
restarted. Steps and tasks may have a template of their own (`inline`). A `podSpecPatch` of the workflow, then one of
the template, is applied to what comes of it (`schema.pod_spec_patch`). It is also to Pods that are not here: those of
templates that are referred to, and those in which Argo's own program works (`resource`, `data`, `http`, `plugin`).

The containers that Argo adds (`init`, `wait`) are the controller's, not the author's, and not looked at, unless a patch
changes them. What Argo writes in them is not known here, so that all that counts is what the patch says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.schema import pod_spec_patch
from podward.schema.assembled import Part
from podward.schema.pod_spec_patch import PodSpecPatch

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
_PATCH = "podSpecPatch"
_OF_ARGO = ("resource", "data", "http", "plugin")
"""The templates in whose Pods Argo's own program runs."""
_ADDED = ((_CONTAINERS, "wait"), ("initContainers", "init"))
"""The containers that Argo adds."""
_REFERENCES = frozenset(("workflowTemplateRef", "templateRef"))
_NO_OBJECTION: JsonObject = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class WorkflowPod(Struct, frozen=True):
    """A Pod of a workflow: the place of its template, the Pod's parts, and the patches that change it, in order."""

    at: Path
    parts: tuple[Part, ...]
    patches: tuple[PodSpecPatch, ...] = ()

    @property
    def size(self) -> int:
        """How much it is to put together."""
        return len(self.parts) + sum(patch.size for patch in self.patches)


def pods_in(raw: JsonObject, at: Path) -> Iterator[WorkflowPod]:
    """Each Pod of the workflow whose spec stands at `at`."""
    spec = _at(raw, at)
    patches = _Patches(spec, at)
    for places in _each(spec, at):
        parts = tuple(_parts(places))
        if any(part.at.segments[1] in {_CONTAINERS, "initContainers"} for part in parts if len(part.at.segments) > 1):
            changing = patches.of(places)
            yield WorkflowPod(places.given[0][1], (*parts, *_added(parts, changing)), changing)


def unapplied(raw: JsonObject, at: Path) -> Iterator[tuple[Path, str]]:
    """The places of the patches that change Pods nobody looks at, each with why."""
    spec = _at(raw, at)
    patches = _Patches(spec, at)
    told: dict[Path, str] = {}
    for patch in patches.of_workflow:
        why = patch.unknown or ("it changes Pods of templates that are not here" if _refers(spec) else "")
        told.setdefault(patch.at, why)
    for places in _each(spec, at):
        own = next((name for name in _OF_ARGO if places.said(name) is not None), "")
        runs = own or any(places.said(name) is not None for name in ("container", "script", "containerSet"))
        for patch in patches.of(places) if runs else ():
            why = patch.unknown or (f"it changes the Pod of a template's {own}, which is Argo's" if own else "")
            if not told.get(patch.at):
                told[patch.at] = why
    yield from ((place, why) for place, why in told.items() if why)


def _refers(value: Json) -> bool:
    """Whether a workflow's spec refers to templates of another object, of which it makes Pods too."""
    if isinstance(value, dict):
        return any(name in _REFERENCES or _refers(inside) for name, inside in value.items())
    return isinstance(value, list) and any(map(_refers, value))


class _Patches:
    """The patches of a workflow; the text of one is read once, however many Pods it changes."""

    def __init__(self, spec: JsonObject, at: Path) -> None:
        self._read: dict[Path, PodSpecPatch] = {}
        self.of_workflow = self._at(spec.get(_PATCH), at / _PATCH)

    def of(self, places: _Places) -> tuple[PodSpecPatch, ...]:
        """Those that change the Pod of a template: the workflow's, then the template's own."""
        for node, place in places.given:
            own = self._at(node.get(_PATCH), place / _PATCH)
            if own:
                return (*self.of_workflow, *own)
        return self.of_workflow

    def _at(self, text: Json, at: Path) -> tuple[PodSpecPatch, ...]:
        if text is None or text == "":
            return ()
        if at not in self._read:
            self._read[at] = pod_spec_patch.read(text, at)
        return (self._read[at],)


def _added(parts: tuple[Part, ...], patches: tuple[PodSpecPatch, ...]) -> Iterator[Part]:
    """The containers of Argo that the patches change."""
    for field, name in _ADDED:
        there = [part for part in parts if part.at.segments[:2] == ("spec", field)]
        changing = next((patch for patch in patches if name in patch.names(field)), None)
        if changing is not None and not any(isinstance(p.value, dict) and p.value.get("name") == name for p in there):
            context = dict(_NO_OBJECTION)
            if any(patch.makes_privileged(field, name) for patch in patches):
                del context["allowPrivilegeEscalation"]  # no Pod may have both
            made: JsonObject = {"name": name, "image": "argoexec", "securityContext": context}
            yield Part(path("spec", field, len(there)), changing.at, made)


def _each(spec: JsonObject, at: Path) -> Iterator[_Places]:
    defaults = member(spec, "templateDefaults")
    for place, template in _templates(spec, at):
        yield _Places(spec, at, ((template, place), (defaults, at / "templateDefaults")))


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
