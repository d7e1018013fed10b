"""What the plugins of `served.py` are asked, and how they refuse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from podward.api import status
from podward.api.admission import AdmissionRequest, GroupResource
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.stages.admission.settings import NO_SETTINGS, PluginSettings


class Objects(Protocol):
    """What is stored, as plugins look it up: by the plural of the kind."""

    def get(self, plural: str, namespace: str, name: str) -> JsonObject | None:
        """The object of this name; of a kind without namespaces, `namespace` is empty."""

    def all(self, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        """The objects of this kind, in this namespace."""


class Served(Struct, frozen=True):
    """What a plugin is asked: the request, what is stored, and letters that make a name unique.

    `granted` is whether the caller may do what a plugin asked the authorizers about; `settings` is the plugins'
    configuration; `service_authority` is whether Pods get the certificate of OpenShift's authority of Services, too.
    """

    request: AdmissionRequest
    objects: Objects
    letters: str
    granted: bool = False
    settings: PluginSettings = NO_SETTINGS
    service_authority: bool = False


def missing(kind: str, name: str) -> Status:
    """The refusal of a plugin that has looked for an object of this kind, in the singular."""
    return status.not_found(GroupResource("", kind), name)


def refused(asked: Served, obj: JsonObject, why: str) -> Status:
    """A plugin's refusal, which names the object as far as it has a name by now."""
    of = member(obj, "metadata")
    name = asked.request.name or of.get("name") or of.get("generateName") or "Unknown"
    return status.forbidden(asked.request.resource, str(name), why)
