"""A request that an API server admits or refuses: admission.k8s.io/v1 AdmissionRequest of Kubernetes."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from podward.api.caller import User
from podward.api.json_value import JsonObject


class Operation(Enum):
    """What is done to an object; CONNECT opens a stream to it, as exec does."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class GroupResource(Struct, frozen=True):
    """What kind of object, by the name that URLs have: `deployments` of the group `apps`."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


PODS = GroupResource("", "pods")
NAMESPACES = GroupResource("", "namespaces")


class AdmissionRequest(Struct, frozen=True):
    """What somebody asks of the API server.

    `object` is what is to be stored, None where an object is deleted; `old_object` is what is stored now, None where
    one is created. `namespace` is empty for objects that are in none. `name` is the request's, empty where an object
    is created under a `generateName`. `subresource` is empty for the object itself. What is `dry_run` is not stored.
    `kind` is of `api_version`, which may be another than the resource's, whose `version` the request names: a
    subresource can have a kind of its own. `options` is a CreateOptions, UpdateOptions or DeleteOptions.
    """

    operation: Operation
    object: JsonObject | None
    user: User
    namespace: str = ""
    name: str = ""
    old_object: JsonObject | None = None
    kind: str = "Pod"
    resource: GroupResource = PODS
    subresource: str = ""
    dry_run: bool = False
    api_version: str = "v1"
    version: str = "v1"
    options: JsonObject | None = None

    @property
    def told_name(self) -> str:
        """The name in a plugin's refusal, where an object may not have one yet."""
        metadata = (self.object or {}).get("metadata")
        of = metadata if isinstance(metadata, dict) else {}
        return self.name or str(of.get("name") or of.get("generateName") or "Unknown")
