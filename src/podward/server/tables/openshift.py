"""The rows of OpenShift's own kinds.

Specification: openshift/openshift-apiserver, the printers of pkg/apps, pkg/project and pkg/security; oauth-apiserver's
of users and groups.
"""

from __future__ import annotations

from base64 import b64decode

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import texts
from podward.server.tables.columns import NAME, Column, Printer
from podward.server.tables.texts import name_of, number_of, text_of


def _project(raw: JsonObject, _: float) -> list[Json]:
    shown = member(member(raw, "metadata"), "annotations").get("openshift.io/display-name")
    return [name_of(raw), shown or "", text_of(member(raw, "status"), "phase")]


def _deployment_config(raw: JsonObject, _: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    desired = str(number_of(spec, "replicas"))
    if spec.get("test") is True:
        desired += " (during test)"
    return [
        name_of(raw),
        number_of(status, "latestVersion"),
        desired,
        number_of(status, "updatedReplicas"),
        ",".join(sorted({cause for trigger in objects(spec, "triggers") if (cause := _cause(trigger, spec))})),
    ]


def _cause(trigger: JsonObject, spec: JsonObject) -> str:
    kind = str(trigger.get("type") or "")
    if kind == "ConfigChange":
        return "config"
    if kind != "ImageChange":
        return kind
    image = member(trigger, "imageChangeParams")
    if image.get("automatic") is not True:
        return ""
    containers = {str(each.get("name")) for each in objects(member(member(spec, "template"), "spec"), "containers")}
    named, source = sorted(texts(image, "containerNames")), member(image, "from")
    prefix = f"{','.join(named)}:" if len(containers) != 1 and not containers.issuperset(named) else ""
    of = "image" if source.get("kind") == "ImageStreamTag" else source.get("kind")
    return f"{of}({prefix}{source.get('name')})"


def _range(raw: JsonObject, _: float) -> list[Json]:
    return [name_of(raw), text_of(raw, "range"), f"0x{b64decode(text_of(raw, 'data')).hex()}"]


def _user(raw: JsonObject, _: float) -> list[Json]:
    uid = text_of(member(raw, "metadata"), "uid")
    return [name_of(raw), uid, text_of(raw, "fullName"), ", ".join(texts(raw, "identities"))]


def _group(raw: JsonObject, _: float) -> list[Json]:
    return [name_of(raw), ", ".join(texts(raw, "users"))]


OPENSHIFT: dict[tuple[str, str], Printer] = {
    ("apps.openshift.io", "DeploymentConfig"): Printer(
        (NAME, Column("Revision"), Column("Desired"), Column("Current"), Column("Triggered By")), _deployment_config
    ),
    ("project.openshift.io", "Project"): Printer((NAME, Column("Display Name"), Column("Status")), _project),
    ("security.internal.openshift.io", "RangeAllocation"): Printer(
        (NAME, Column("Range", format="name"), Column("Data")), _range
    ),
    ("user.openshift.io", "User"): Printer((NAME, Column("UID"), Column("Full Name"), Column("Identities")), _user),
    ("user.openshift.io", "Group"): Printer((NAME, Column("Users")), _group),
}
"""How each kind is told."""
