"""From documents to Pods: what each kind of workload would have its controller create.

Specification: Kubernetes. A Pod is itself; PodTemplate holds one in `template`; Deployment, ReplicaSet,
StatefulSet, DaemonSet, ReplicationController, DeploymentConfig and Job in `spec.template`; CronJob in
`spec.jobTemplate.spec.template`. A `List` holds objects of any kind, a `PodList` (and so on) of its own.
The Pod gets the template's labels, annotations and spec, and the workload's namespace; that of a StatefulSet also a
volume for each of its claim templates, behind its other volumes. A controller makes up the
Pod's name, with random letters; here it is the workload's own name. `generateName` without `name` loses its dash.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Pod
from podward.api.json_value import Json, JsonObject, kind_of
from podward.documents.document import Document
from podward.errors import InputError, OtherDocumentError
from podward.path import Path, path
from podward.schema.strict import require
from podward.schema.table import KINDS
from podward.schema.view import pod_view

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
"""Where the Pod, or its template, is in an object of each kind."""
_PREFIXES = {
    "ReplicaSet": "{}-",
    "DaemonSet": "{}-",
    "Job": "{}-",
    "ReplicationController": "{}-",
    "DeploymentConfig": "{}-1-",
}
"""What the names of a workload's Pods begin with; a DeploymentConfig's first ReplicationController is its number 1."""
_OUR_GROUPS = frozenset(("", "apps", "batch", "extensions", "apps.openshift.io"))
DEFAULT_NAMESPACE = "default"


class PodSource(Struct, frozen=True, gc=False):
    """A Pod and where it came from.

    `prefix` is the place of the Pod, or of the template, in the document: `spec` of the Pod is written at
    `prefix / "spec"`. `raw` is the Pod as it would be created, before defaulting; `view` the same, typed. `kind` and
    `name` are the workload's.
    """

    document: Document
    prefix: Path
    raw: JsonObject
    view: Pod
    kind: str
    name: str
    assigned: bool = False
    """Whether who sends it says the namespace (`in_namespace`)."""

    @property
    def says_namespace(self) -> bool:
        """Whether the Pod, the workload around it, or who sends it names a namespace."""
        if self.assigned:
            return True
        steps = self.prefix.segments
        above = (Path(steps[:length]) for length in range(len(steps) + 1))
        return any(self.document.line_of(place / "metadata" / "namespace") is not None for place in above)

    def in_namespace(self, name: str) -> PodSource:
        """The same Pod, sent to this namespace."""
        raw: JsonObject = {**self.raw, "metadata": {**_member(self.raw, "metadata"), "namespace": name}}
        return PodSource(self.document, self.prefix, raw, pod_view(raw), self.kind, self.name, assigned=True)

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

    def where(self, place: Path) -> str:
        """`file:line` of a field of the Pod or, if it is absent, of the closest thing around it."""
        return self.document.where(self.prefix + place)


def pod_sources(document: Document) -> tuple[PodSource, ...]:
    """Every Pod that the document would bring about; none for kinds that run nothing.

    Raises InputError where the document is not one that an API server takes: no kind, a version that the kind does not
    have, unknown fields, wrong types.
    """
    require(document)
    return sources_of(document)


def sources_of(document: Document) -> tuple[PodSource, ...]:
    """The same of a document whose objects are of their types, which nothing is asked about any more."""
    return tuple(_sources(document, document.raw, Path()))


def _sources(document: Document, raw: JsonObject, at: Path) -> list[PodSource]:
    kind, version = _identity(document, raw, at)
    if kind in KINDS and version not in KINDS[kind]:
        _refuse_version(document, kind, version, at)
        return []
    if kind in TEMPLATES:
        return [_source(document, raw, kind, at)]
    items = raw.get("items")
    if kind not in KINDS or not kind.endswith("List") or not isinstance(items, list):
        return []
    found: list[PodSource] = []
    for index, item in enumerate(items):
        place = at / "items" / index
        if not isinstance(item, dict):
            raise InputError(f"{place}: expected an object, found {kind_of(item)}", where=document.where(place))
        if kind != "List":
            item = {"kind": kind.removesuffix("List"), "apiVersion": version, **item}  # noqa: PLW2901  # as typed lists do
        found += _sources(document, item, place)
    return found


def _identity(document: Document, raw: JsonObject, at: Path) -> tuple[str, str]:
    """The object's kind and apiVersion."""
    words: list[str] = []
    for name in ("kind", "apiVersion"):
        word = raw.get(name)
        if word is None or word == "":
            missing = [field for field in ("apiVersion", "kind") if raw.get(field) in (None, "")]
            other = not at.segments and "kind" not in raw and "metadata" not in raw
            raise (OtherDocumentError if other else InputError)(
                ", ".join(f"{field} not set" for field in missing),
                where=document.where(at),
                advice="every object needs both, such as `apiVersion: v1` and `kind: Pod`",
            )
        if not isinstance(word, str):
            raise InputError(f"{name}: expected a string, found {kind_of(word)}", where=document.where(at / name))
        words.append(word)
    return words[0], words[1]


def _refuse_version(document: Document, kind: str, version: str, at: Path) -> None:
    """Kinds of the same name in somebody else's group are none of ours; an old or misspelt version is refused."""
    group = version.rpartition("/")[0]
    if group not in _OUR_GROUPS:
        return
    known = " or ".join(KINDS[kind])
    raise InputError(
        f'no matches for kind "{kind}" in version "{version}"',
        where=document.where(at / "apiVersion"),
        advice=f"write apiVersion: {known}",
    )


def _source(document: Document, raw: JsonObject, kind: str, at: Path) -> PodSource:
    template = raw
    for step in TEMPLATES[kind].segments:
        template = _member(template, str(step))
    owner = _member(raw, "metadata")
    name = pod_name(owner)
    metadata: JsonObject = {key: value for key, value in _member(template, "metadata").items() if value is not None}
    if kind == "Pod":
        metadata.setdefault("namespace", DEFAULT_NAMESPACE)
        if "name" not in metadata and name:
            metadata["name"] = name
        pod: JsonObject = {**raw, "metadata": metadata}
    else:
        metadata.pop("generateName", None)
        metadata["name"] = name
        metadata["namespace"] = owner.get("namespace") or DEFAULT_NAMESPACE
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _member(template, "spec")}
        if kind == "StatefulSet":
            pod["spec"] = _with_claims(_member(template, "spec"), _member(raw, "spec"), name)
    if pod.get("spec") is None:
        pod["spec"] = {}
    return PodSource(document, at + TEMPLATES[kind], pod, pod_view(pod), kind, name)


def _with_claims(spec: JsonObject, owner: JsonObject, name: str) -> JsonObject:
    """The Pod's spec with a volume for each claim template, in place of one of the same name."""
    claims = owner.get("volumeClaimTemplates")
    templates = [_member(item, "metadata") for item in claims if isinstance(item, dict)] if claims else []  # type: ignore[union-attr]
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


def _member(raw: JsonObject, name: str) -> JsonObject:
    member = raw.get(name)
    return member if isinstance(member, dict) else {}
