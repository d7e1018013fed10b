"""Claims of devices that the Pod's containers can use.

Specification: Kubernetes, validatePodResourceClaims: a name of its own, and one of claim and template.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import NOTHING, Place, duplicate, each, invalid_value, required
from podward.schema.validation.names import label, subdomain_faults
from podward.schema.validation.raw import pointer, text
from podward.schema.validation.walk import Scope

_SOURCES = ("resourceClaimName", "resourceClaimTemplateName")


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The Pod's `resourceClaims`, which its containers may use from now on."""
    scope.claims = frozenset(text(claim, "name") for claim in objects(spec, "resourceClaims")) - {""}
    seen: set[str] = set()
    found: list[Decision] = []
    for index, claim in enumerate(objects(spec, "resourceClaims")):
        name, place = text(claim, "name"), at / "resourceClaims" / index
        if not name:
            found.append(required(place / "name"))
        elif name in seen:
            found.append(duplicate(place / "name", name))
        else:
            found.append(label(name, place / "name"))
            seen.add(name)
        found.append(_source(claim, name, place))
    return merge(*found)


def _source(claim: JsonObject, name: str, at: Place) -> Decision:
    values = [pointer(claim, source) for source in _SOURCES]
    shown: JsonObject = {"Name": name, "ResourceClaimName": values[0], "ResourceClaimTemplateName": values[1]}
    found = NOTHING
    if None not in values:
        detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        found = invalid_value(at, shown, detail)
    elif values == [None, None]:
        found = invalid_value(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
    for source, value in zip(_SOURCES, values, strict=True):
        if value is not None:
            found += each(at / source, value, subdomain_faults(value))
    return found
