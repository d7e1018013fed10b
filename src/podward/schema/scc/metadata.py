"""The metadata of an object that is in no namespace: name, labels, annotations.

Specification: Kubernetes, k8s.io/apimachinery api/validation ValidateObjectMeta with the name of a DNS subdomain,
and api/validate/content for the keys. An annotation's key is checked in lower case. All annotations together have at
most 256 KiB. Owners, finalizers and managed fields are not looked at.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.schema.validation.field import forbidden, invalid, required, too_long
from podward.schema.validation.names import subdomain, subdomain_faults

if TYPE_CHECKING:
    from podward.api.core import ObjectMeta
    from podward.path import Path

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_IS_NAME = pattern(_NAME)
_LONGEST = 63
_MOST_ANNOTATIONS = 256 * 1024
_KEY_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)
_PREFIX_RULE = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '({_NAME})?')"
)


def of_cluster_object(metadata: ObjectMeta, at: Path) -> Decision:
    """What is refused about the metadata of an object that is in no namespace."""
    found: list[Decision] = []
    if metadata.generate_name:
        prefix = metadata.generate_name
        begun = prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix
        found += [invalid(at / "generateName", prefix, fault) for fault in subdomain_faults(begun)]
    if metadata.name:
        found.append(subdomain(metadata.name, at / "name"))
    elif not metadata.generate_name:
        found.append(required(at / "name", "name or generateName is required"))
    if metadata.namespace:
        found.append(forbidden(at / "namespace", "not allowed on this type"))
    found += [_label(name, value or "", at / "labels") for name, value in (metadata.labels or {}).items()]
    annotations = metadata.annotations or {}
    for name in annotations:
        found += [invalid(at / "annotations", name, fault) for fault in key_faults(name.lower())]
    if sum(len(name.encode()) + len((value or "").encode()) for name, value in annotations.items()) > _MOST_ANNOTATIONS:
        found.append(too_long(at / "annotations", "", _MOST_ANNOTATIONS))
    return merge(*found)


def key_faults(key: str) -> tuple[str, ...]:
    """What keeps `key` from being a label's key: a name, or a DNS subdomain, `/` and a name."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return (f"a valid label key {_KEY_RULE}{_PREFIX_RULE}",)
    faults: tuple[str, ...] = ()
    if slash:
        faults = tuple(subdomain_faults(prefix)) if prefix else ("must be non-empty",)
        faults = tuple(f"prefix part {fault}" for fault in faults)
    if not name:
        faults += ("name part must be non-empty",)
    elif len(name.encode()) > _LONGEST:
        faults += (f"name part must be no more than {_LONGEST} characters",)
    return faults if _IS_NAME.fullmatch(name) else (*faults, f"name part {_KEY_RULE}")


def _label(name: str, value: str, at: Path) -> Decision:
    found = [invalid(at, name, fault) for fault in key_faults(name)]
    if len(value.encode()) > _LONGEST:
        found.append(invalid(at, value, f"must be no more than {_LONGEST} characters"))
    if value and not _IS_NAME.fullmatch(value):
        found.append(invalid(at, value, _VALUE_RULE))
    return merge(*found)
