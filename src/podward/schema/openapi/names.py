"""What OpenAPI calls the types of kinds, and the definitions under these names.

Specification: k8s.io/kube-openapi: the Go package of a type, its domain turned round; of a custom resource its group
turned round, its version and its kind.
"""

from __future__ import annotations

import json
import lzma
import re
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from podward.documents.raw_fields import member

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
"""Where meta/v1 is."""
_PACKAGES = {
    "v1": "io.k8s.api.core.v1",
    "apiextensions.k8s.io/v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "apiregistration.k8s.io/v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
}
_TEXTS = "\n\nPossible enum values:\n"
_REFERENCE = re.compile(r'"#/definitions/([^"]+)"')


def built_in() -> dict[str, JsonObject]:
    """The definitions of all types of Kubernetes itself, unpacked anew."""
    from podward.schema.openapi import definitions, enums

    found, texts = _unpacked(definitions.PACKED), _unpacked(enums.PACKED)
    for name, fields in member(texts, "fields").items():
        properties = member(member(found, name), "properties")
        for place, index in cast("dict[str, int]", fields).items():
            field, _, inside = place.partition("/")
            values, told = cast("list[list[Json]]", texts["enums"])[index]
            schema = member(properties, field)
            (member(schema, inside) if inside else schema)["enum"] = values
            said = str(schema.get("description", ""))
            if told and _TEXTS not in said:
                schema["description"] = f"{said}{_TEXTS}{told}"
    return cast("dict[str, JsonObject]", found)


def _unpacked(packed: str) -> JsonObject:
    return cast("JsonObject", json.loads(lzma.decompress(a2b_base64(packed))))


class Names:
    """Definitions by their names, and the name of each kind."""

    def __init__(self, definitions: Mapping[str, JsonObject], custom: Mapping[tuple[str, str], str]) -> None:
        self._definitions = definitions
        self._custom = custom

    def of(self, api_version: str, kind: str) -> str:
        """The name of a kind's definition; empty where there is none, as of the options of a connection."""
        custom = self._custom.get((api_version, kind))
        if custom is not None:
            return custom
        group, _, version = api_version.partition("/")
        package = _PACKAGES.get(api_version, f"io.k8s.api.{group.partition('.')[0]}.{version}")
        for name in (f"{package}.{kind}", f"{META}.{kind}"):
            if name in self._definitions:
                return name
        return ""

    def needed(self, names: Iterable[str]) -> dict[str, JsonObject]:
        """The definitions of these names and of all that they need, in alphabetical order."""
        wanted = [name for name in names if name]
        found: dict[str, JsonObject] = {}
        while wanted:
            name = wanted.pop()
            if name not in found and name in self._definitions:
                found[name] = self._definitions[name]
                wanted += _REFERENCE.findall(json.dumps(found[name]))
        return dict(sorted(found.items()))


def custom_name(group: str, version: str, kind: str) -> str:
    """The name of a custom resource's definition."""
    return ".".join([*reversed(group.split(".")), version, kind])
