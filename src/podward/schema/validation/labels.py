"""Label keys, label values, selectors.

Specification: Kubernetes, apimachinery validate/content IsLabelKey and IsLabelValue, meta/v1 validation
ValidateLabels and ValidateLabelSelector. A key is a name of at most 63 bytes with an optional subdomain before a
slash. In a selector, `In` and `NotIn` want values and `Exists` and `DoesNotExist` have none.
"""

from __future__ import annotations

from functools import lru_cache

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.schema.validation.field import NOTHING, Place, each, forbidden, invalid_value, required
from podward.schema.validation.names import SUBDOMAIN_RULE, is_subdomain
from podward.schema.validation.raw import strings, text, texts
from podward.schema.validation.walk import CodeRule, Scope

_EDGES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_INSIDE = _EDGES | frozenset("-_.")
_PATTERN = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CHARACTERS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_KEY_RULE = f"{_CHARACTERS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_PATTERN}')"
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '({_PATTERN})?')"
)
_LONGEST, _LONGEST_PREFIX = 63, 253


@lru_cache(1 << 12)
def key_faults(key: str) -> tuple[str, ...]:
    """What keeps `key` from being a label's key, which is also called a qualified name.

    Remembered: the same few keys stand in every manifest.
    """
    *prefixes, name = key.split("/")
    if len(prefixes) > 1:
        return (
            f"a valid label key {_KEY_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    faults = [f"prefix part {fault}" for prefix in prefixes for fault in _prefix_faults(prefix)]
    if not name:
        faults.append("name part must be non-empty")
    elif len(name.encode()) > _LONGEST:
        faults.append(f"name part must be no more than {_LONGEST} bytes")
    return tuple(faults) if _fits(name) else (*faults, f"name part {_KEY_RULE}")


@lru_cache(1 << 12)
def value_faults(value: str) -> tuple[str, ...]:
    """What keeps `value` from being a label's value; remembered, as keys are."""
    faults = (f"must be no more than {_LONGEST} bytes",) if len(value.encode()) > _LONGEST else ()
    return faults if not value or _fits(value) else (*faults, _VALUE_RULE)


def key(name: str, at: Place) -> Decision:
    """Refuse what is no label key."""
    return each(at, name, key_faults(name))


def of(name: str) -> CodeRule:
    """The rule about the labels under `name`; every error is printed at the map itself."""

    def rule(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
        written = raw.get(name)
        for label, value in written.items() if isinstance(written, dict) else ():
            if key_faults(label) or not isinstance(value, str) or value_faults(value):
                return _every(raw, name, at / name)
        return NOTHING

    return rule


def _every(raw: JsonObject, name: str, at: Place) -> Decision:
    return merge(
        *(key(label, at) + each(at, value, value_faults(value)) for label, value in strings(raw, name).items())
    )


def operator(requirement: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The operator of a selector's requirement, and whether it has values then."""
    written, values = text(requirement, "operator"), texts(requirement, "values")
    if written in {"In", "NotIn"}:
        needed = "must be specified when `operator` is 'In' or 'NotIn'"
        return NOTHING if values else required(at / "values", needed)
    if written in {"Exists", "DoesNotExist"}:
        detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return forbidden(at / "values", detail) if values else NOTHING
    return invalid_value(at / "operator", written, "not a valid selector operator")


def _prefix_faults(prefix: str) -> list[str]:
    if not prefix:
        return ["must be non-empty"]
    faults = [f"must be no more than {_LONGEST_PREFIX} bytes"] if len(prefix.encode()) > _LONGEST_PREFIX else []
    return faults if is_subdomain(prefix) else [*faults, SUBDOMAIN_RULE]


def _fits(name: str) -> bool:
    return bool(name) and name[0] in _EDGES and name[-1] in _EDGES and _INSIDE.issuperset(name)
