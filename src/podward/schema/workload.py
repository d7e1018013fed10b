"""From documents to Pods: what each kind of workload would have its controller create.

Specification: Kubernetes. Where the objects of each kind hold their Pods, `schema.pod_kinds` says; which objects a
document holds, `schema.objects`.
The Pod gets the template's labels, annotations and spec, and the workload's namespace; that of a StatefulSet also a
volume for each of its claim templates, behind its other volumes. Image triggers fill in images that are blank. A
controller makes up the Pod's name, with random letters; here it is the workload's own name. `generateName` without
`name` loses its dash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.core import Pod
from podward.api.json_value import Json, JsonObject
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.errors import LimitError
from podward.path import Path, path
from podward.schema import api_kinds, objects
from podward.schema.objects import Item, objects_of
from podward.schema.pod_kinds import ARGO, BUILT_IN, KNATIVE, TEMPLATES, WORKFLOWS, PodKind, PodKinds
from podward.schema.strict import require, require_pod, require_template
from podward.schema.table import KINDS
from podward.schema.view import pod_view

if TYPE_CHECKING:
    from podward.schema.assembled import Part
    from podward.schema.workflows import WorkflowPod

_PREFIXES = {
    "ReplicaSet": "{}-",
    "DaemonSet": "{}-",
    "Job": "{}-",
    "ReplicationController": "{}-",
    "DeploymentConfig": "{}-1-",
}
"""What the names of a workload's Pods begin with; a DeploymentConfig's first ReplicationController is its number 1."""
DEFAULT_NAMESPACE = objects.DEFAULT_NAMESPACE
_TRIGGERS = "image.openshift.io/triggers"
_MOST_PARTS = 50_000
"""Of the Pods of a workflow: every template has all of its volumes."""
_USER_CONTAINER = "user-container"
"""What Knative calls a container without a name; several are numbered."""


class PodSource(Struct, frozen=True, gc=False):
    """A Pod and where it came from.

    `prefix` is the place of the Pod, or of the template, in the document: `spec` of the Pod is written at
    `prefix / "spec"`. `raw` is the Pod as it would be created, before defaulting; `view` the same, typed. `kind` and
    `name` are the workload's. Where the Pod is made of several parts of the file, `document` is that Pod with their
    lines, and `origins` has for each part its place in the Pod and in the file.
    """

    document: Document
    prefix: Path
    raw: JsonObject
    view: Pod
    kind: str
    name: str
    origins: tuple[tuple[Path, Path], ...] = ()
    says_namespace: bool = False
    """Whether the Pod, its workload, or who sends it names a namespace: what a template or a list says is nobody's."""

    def in_namespace(self, name: str) -> PodSource:
        """The same Pod, sent to this namespace."""
        raw: JsonObject = {**self.raw, "metadata": {**member(self.raw, "metadata"), "namespace": name}}
        return structs.replace(self, raw=raw, view=pod_view(raw), says_namespace=True)

    def sent(self) -> JsonObject:
        """The Pod as it reaches the API server: what was written, or what the controller makes of the template.

        A controller sends a prefix of the name; that of a Deployment's ReplicaSet, and of a CronJob's Job, nobody can
        know.
        """
        if self.kind == "Pod":
            written: Json = self.document.raw
            for segment in self.prefix.segments:
                written = written[segment]  # type: ignore[index]  # the Pod was found there
            return written if isinstance(written, dict) else self.raw
        prefix = _PREFIXES.get(self.kind)
        metadata = self.raw.get("metadata")
        if prefix is None or not self.name or not isinstance(metadata, dict):
            return self.raw
        named = {key: value for key, value in metadata.items() if key != "name"}
        return {**self.raw, "metadata": {"generateName": prefix.format(self.name), **named}}

    def in_file(self, place: Path) -> Path:
        """A place of `document` as a place in the document of the file."""
        if not self.origins:
            return place
        from podward.schema.assembled import original

        return original(self.origins, place)

    def where(self, place: Path) -> str:
        """`file:line` of a field of the Pod or, if it is absent, of the closest thing around it."""
        return self.document.where(self.prefix + place)


def pod_sources(document: Document, kinds: PodKinds = BUILT_IN) -> tuple[PodSource, ...]:
    """Every Pod that the document would bring about; none for kinds that run nothing.

    Raises InputError where the document is not one that an API server takes: no kind, a kind or a version that no API
    has, unknown fields, wrong types.
    """
    require(document)
    return tuple(source for item in objects_of(document) for source in sources_of(item, kinds))


def sources_of(item: Item, kinds: PodKinds = BUILT_IN) -> tuple[PodSource, ...]:
    """Every Pod that an object would bring about.

    Raises InputError for a kind that no API has, and for a custom resource whose Pods have wrong types.
    """
    versions = KINDS.get(item.kind)
    if versions is not None and item.api_version in versions:
        return (_source(item.document, item.raw, item.kind, item.at),) if item.kind in TEMPLATES else ()
    api_kinds.require_match(item)
    row = kinds.get((item.group, item.kind))
    if row is not None:
        return tuple(_custom(item, row, place) for place in row.templates(item.raw))
    if item.group == ARGO and item.kind in WORKFLOWS:
        return _workflow_pods(item)
    return ()


def _custom(item: Item, row: PodKind, place: Path) -> PodSource:
    """The Pod of a template of a custom resource, or of a Pod's spec that stands there alone."""
    from podward.schema.assembled import Part, assembled  # few files have one, and a check starts often

    document, at = item.document, item.at + place
    template: Json = item.raw
    for step in place.segments:
        template = template[step]  # type: ignore[index]  # the template was found there
    node = template if isinstance(template, dict) else {}
    named = _listed(item.raw, place) if row.listed else None
    kind, name = (item.kind, pod_name(member(item.raw, "metadata"))) if named is None else (row.listed, named)
    alone = "spec" not in node and "containers" in node
    require_template(document, {"spec": node} if alone else node, at, row.more, alone=alone)
    own: JsonObject = {} if alone or not place.segments else member(node, "metadata")
    spec = _named_containers(node if alone else member(node, "spec"), item.group)
    pod = _pod_of(member(item.raw, "metadata"), own, spec, name)
    if not alone:
        return PodSource(document, at, pod, pod_view(pod), kind, name, says_namespace=_says_namespace(item.raw))
    parts = (Part(path("metadata"), item.at / "metadata", pod["metadata"]), Part(path("spec"), at, spec))
    made, said = assembled(document, at, parts), _says_namespace(item.raw)
    return PodSource(made, Path(), pod, pod_view(pod), kind, name, _origins(parts), said)


def _listed(raw: JsonObject, place: Path) -> str | None:
    """The name of the item of a list that the template is in."""
    node: Json = raw
    name: str | None = None
    for step in place.segments:
        node = node[step]  # type: ignore[index]  # the template was found there
        if isinstance(step, int) and isinstance(node, dict) and isinstance(node.get("name"), str):
            name = str(node["name"])
    return name


def _named_containers(spec: JsonObject, group: str) -> JsonObject:
    listed = spec.get("containers")
    if group != KNATIVE or not isinstance(listed, list):
        return spec
    several = len(listed) > 1
    return {
        **spec,
        "containers": [
            {"name": f"{_USER_CONTAINER}-{index}" if several else _USER_CONTAINER, **each}
            if isinstance(each, dict)
            else each
            for index, each in enumerate(listed)
        ],
    }


def _workflow_pods(item: Item) -> tuple[PodSource, ...]:
    """The Pods of Argo's workflow."""
    from podward.schema import workflows
    from podward.schema.assembled import Part, assembled

    found: list[PodSource] = []
    owner = member(item.raw, "metadata")
    name = pod_name(owner)
    count = 0
    for each in workflows.pods_in(item.raw, WORKFLOWS[item.kind]):
        count += each.size
        if count > _MOST_PARTS:
            what = f"its templates and what they share make more than {_MOST_PARTS:,} parts of Pods"
            raise LimitError(what, where=item.where(Path()), advice="split the workflow")
        metadata = _pod_of(owner, {}, {}, name)["metadata"]
        annotations = owner.get("annotations")
        if isinstance(metadata, dict) and annotations is not None:
            metadata["annotations"] = annotations
        placed = tuple(Part(part.at, item.at + part.written, part.value) for part in each.parts)
        whole = (Part(path("metadata"), item.at / "metadata", metadata), *placed)
        made = assembled(item.document, item.at + each.at, whole)
        require_pod(made)
        found.append(_patched(item, each, made, _origins(whole)))
    return tuple(found)


def _patched(item: Item, pod: WorkflowPod, made: Document, origins: tuple[tuple[Path, Path], ...]) -> PodSource:
    """The Pod of a workflow with its patches."""
    name = pod_name(member(item.raw, "metadata"))
    if pod.patches:
        from podward.schema.pod_spec_patch import patched

        changed = patched(made, pod.patches, item.document, item.at)
        made, origins = changed.pod, (*origins, *((at, item.at + written) for at, written in changed.origins))
    said = _says_namespace(item.raw)
    return PodSource(made, Path(), made.raw, pod_view(made.raw), item.kind, name, origins, said)


def _says_namespace(owner: JsonObject) -> bool:
    return bool(member(owner, "metadata").get("namespace"))


def _origins(parts: tuple[Part, ...]) -> tuple[tuple[Path, Path], ...]:
    return tuple((part.at, part.written) for part in parts)


def _source(document: Document, raw: JsonObject, kind: str, at: Path) -> PodSource:
    template = raw
    for step in TEMPLATES[kind].segments:
        template = member(template, str(step))
    owner = member(raw, "metadata")
    name = pod_name(owner)
    if kind == "Pod":
        metadata: JsonObject = {key: value for key, value in member(raw, "metadata").items() if value is not None}
        metadata.setdefault("namespace", DEFAULT_NAMESPACE)
        if "name" not in metadata and name:
            metadata["name"] = name
        pod: JsonObject = {**raw, "metadata": metadata}
    else:
        pod = _pod_of(owner, member(template, "metadata"), member(template, "spec"), name)
        if kind == "StatefulSet":
            pod["spec"] = _with_claims(member(template, "spec"), member(raw, "spec"), name)
        if kind == "DeploymentConfig" or _TRIGGERS in member(owner, "annotations"):
            from podward.schema.image_triggers import with_images

            pod["spec"] = with_images(member(pod, "spec"), raw, str(owner.get("namespace") or DEFAULT_NAMESPACE))
    if pod.get("spec") is None:
        pod["spec"] = {}
    said = bool(owner.get("namespace"))
    return PodSource(document, at + TEMPLATES[kind], pod, pod_view(pod), kind, name, (), said)


def _pod_of(owner: JsonObject, written: JsonObject, spec: JsonObject, name: str) -> JsonObject:
    """The Pod that a controller makes of a template."""
    metadata: JsonObject = {key: value for key, value in written.items() if value is not None}
    metadata.pop("generateName", None)
    metadata["name"] = name
    metadata["namespace"] = owner.get("namespace") or DEFAULT_NAMESPACE
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _with_claims(spec: JsonObject, owner: JsonObject, name: str) -> JsonObject:
    """The Pod's spec with a volume for each claim template, in place of one of the same name."""
    claims = owner.get("volumeClaimTemplates")
    templates = [member(item, "metadata") for item in claims if isinstance(item, dict)] if claims else []  # type: ignore[union-attr]
    if not templates:
        return spec
    made: dict[str, Json] = {
        str(template.get("name")): {
            "name": template.get("name"),
            "persistentVolumeClaim": {"claimName": f"{template.get('name')}-{name}-0"},
        }
        for template in templates
    }
    written = spec.get("volumes")
    kept = [each for each in written if not (isinstance(each, dict) and each.get("name") in made)] if written else []  # type: ignore[union-attr]
    return {**spec, "volumes": [*kept, *made.values()]}


def pod_name(metadata: JsonObject) -> str:
    """The name of an object, or what its generateName begins with; empty if it has neither."""
    name, prefix = metadata.get("name"), metadata.get("generateName")
    if isinstance(name, str) and name:
        return name
    return prefix.rstrip("-.") if isinstance(prefix, str) else ""
