"""Workloads that schema, defaulting and validation have nothing to say about: the quick answer that most get.

Specification: of a workload that is known to be valid, `strict.mistakes` finds nothing, and what defaulting and
ServiceAccount admission make of its Pod has nothing against it in `validation`. The same table is asked as there, in
another order: first what each field may be (`quick_rules`), then, of the objects whose fields have to go together, the
rules about these. Whatever is not known to be valid is looked at in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member, objects
from podward.schema.default_table import DEFAULTS
from podward.schema.fit import Together, fits
from podward.schema.pod_kinds import BUILT_IN, TEMPLATES, PodKinds
from podward.schema.quick_rules import QuickRules
from podward.schema.table import KINDS, TYPES
from podward.schema.validation.field import NOTHING, Place
from podward.schema.validation.metadata import generate_name
from podward.schema.validation.pod import annotations_speak, workload
from podward.schema.validation.raw import text
from podward.schema.validation.security_context import shared_processes
from podward.schema.validation.table import RULES
from podward.schema.validation.values import LABEL, SUBDOMAIN
from podward.schema.validation.walk import CodeRule, Scope
from podward.schema.workload import PodSource, sources_of

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.decision import Decision
    from podward.documents.document import Document
    from podward.schema.objects import Item

_Asked = tuple[tuple[Together, "JsonObject"], ...]
"""Rules about several fields, each with an object that it is to be asked about."""
_HERE = Place(None, "spec")
"""Where such a rule is told to look: nobody reads the place, as what is wrong is found out in full."""
_UNWRITTEN: JsonObject = {}
_ITEM = 2
"""How many steps lead to an item of a list: `items` and its index."""


def sources_if_known(
    document: Document, items: tuple[Item, ...], kinds: PodKinds = BUILT_IN
) -> tuple[tuple[PodSource, bool], ...] | None:
    """The Pods that the document of these objects would bring about, each with whether it is known to be valid.

    None where an object of the document may not be of its type, or of a type that nobody here knows:
    `workload.pod_sources` says what is wrong then, if anything is.
    """
    if not _is_of_its_type(document.raw, items):
        return None
    asked: list[_Asked] = []
    for item in items:
        found = _asked_of(item.raw)
        if found is None:
            return None
        asked.append(found)
    return tuple(
        [
            (source, item.kind in TEMPLATES and is_known_valid(source, rules))
            for item, rules in zip(items, asked, strict=True)
            for source in sources_of(item, kinds)
        ]
    )


def _is_of_its_type(raw: JsonObject, items: tuple[Item, ...]) -> bool:
    """Whether the document is one object, or a `List` without a fault whose items are no lists."""
    if raw.get("kind") != "List":
        return len(items) == 1 and items[0].raw is raw
    return (
        raw.get("apiVersion") == "v1"
        and fits(raw, "List")
        and len(items) == len(objects(raw, "items"))
        and all(len(item.at.segments) == _ITEM for item in items)
    )


def _asked_of(raw: JsonObject) -> _Asked | None:
    """What is still to be asked about an object whose fields are what they may be; None if they may not be."""
    kind, version = raw.get("kind"), raw.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str) or not kind or not version or kind.endswith("List"):
        return None
    if kind not in KINDS:
        return ()  # a custom resource: where it holds Pods, these are looked at in full
    of = KINDS[kind].get(version)
    if of is None:
        return None
    if kind in TEMPLATES:
        return QUICK.asked_of(of, raw)
    return () if fits(raw, of) else None  # nobody asks whether an object without a Pod is valid


def is_known_valid(source: PodSource, asked: _Asked) -> bool:
    """Whether the Pod is valid, of whose document this is still to be asked."""
    raw, name = source.raw, source.name
    metadata, spec = member(raw, "metadata"), member(raw, "spec")
    if not (_is_named(metadata, name) and spec.get("containers") and _is_left_as_it_is(metadata, spec)):
        return False
    mountable = _mountable(objects(spec, "volumes"), name)
    if mountable is None or workload(spec, source.kind) is not NOTHING:
        return False
    scope = Scope(_ALONE, name, raw)
    scope.mountable = mountable
    if shared_processes(_UNWRITTEN, scope, _HERE) is not NOTHING:
        return False  # asked of every Pod, as defaulting gives each a security context
    for rule, owner in asked:  # noqa: SIM110  # a generator would cost each workload
        if rule(owner, scope, _HERE) is not NOTHING:
            return False
    return True


def _is_named(metadata: JsonObject, name: str) -> bool:
    namespace, begun = metadata.get("namespace"), text(metadata, "generateName")
    return (
        bool(name and SUBDOMAIN.is_sound(name))
        and (isinstance(namespace, str) and bool(LABEL.is_sound(namespace)))
        and generate_name(begun, _HERE) is NOTHING
    )


def _is_left_as_it_is(metadata: JsonObject, spec: JsonObject) -> bool:
    """Whether the server sets nothing that policies, or rules about several fields, look at."""
    return (
        not annotations_speak(metadata)
        and spec.get("resources") is None  # which get what the containers have together
        and (not spec.get("hostNetwork") or _all_host_ports_are_written(spec))
    )


def _all_host_ports_are_written(spec: JsonObject) -> bool:
    """Whether defaulting leaves the ports of a Pod on the node's network as they are."""
    return all(
        port.get("hostPort")
        for name in ("initContainers", "containers")
        for container in objects(spec, name)
        for port in objects(container, "ports")
    )


def _mountable(volumes: list[JsonObject], pod: str) -> dict[str, JsonObject] | None:
    """The volumes by name, some of which a StatefulSet's claims have made; None if more is to be asked about one."""
    found: dict[str, JsonObject] = {}
    for volume in volumes:
        name = volume.get("name")
        if not isinstance(name, str) or not LABEL.is_sound(name):
            return None
        if volume.get("csi") is not None:
            return None  # which OpenShift has rules about of its own
        if volume.get("ephemeral") is not None and not SUBDOMAIN.is_sound(f"{pod}-{name}"):
            return None  # of the claim that it makes
        found[name] = volume
    return found


class _Alone(dict[str, CodeRule]):
    """Leads nowhere: what is inside an object has been asked already."""

    def __missing__(self, of: str) -> CodeRule:
        self[of] = _nothing
        return _nothing


def _nothing(_raw: JsonObject, _scope: Scope, _at: Place) -> Decision:
    return NOTHING


def _around_templates() -> dict[str, frozenset[str]]:
    """The types of objects around a Pod's template, and the fields that lead to it."""
    found: dict[str, frozenset[str]] = {}
    for kind, path in TEMPLATES.items():
        of = kind
        for step in path.segments:
            found[of] = found.get(of, frozenset()) | {str(step)}
            of = TYPES[of][str(step)]
    return found


_ALONE = _Alone()
QUICK = QuickRules(RULES, DEFAULTS, _around_templates())
"""What fields may be, of every type."""
