"""The cluster addresses of a Service, and the families of addresses.

Specification: Kubernetes, ValidateServiceClusterIPsRelatedFields, validateUpgradeDowngradeClusterIPs and
validateUpgradeDowngradeIPFamilies. The first address and the first family never change; a second may come and go.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.schema.strategies import ip
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    duplicate,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.raw import pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

FAMILIES, POLICIES = ("IPv4", "IPv6"), ("PreferDualStack", "RequireDualStack", "SingleStack")
_ADDRESSES, _FAMILIES, _POLICY = SPEC / "clusterIPs", SPEC / "ipFamilies", SPEC / "ipFamilyPolicy"
_ONCE = "may not change once set"
_MOST = 2


def is_headless(spec: JsonObject) -> bool:
    """Whether the Service has no address, on purpose."""
    return spec.get("clusterIPs") == ["None"]


def check(spec: JsonObject, stored: Collection[str]) -> Decision:
    """Everything that is wrong with addresses and families; `stored` are the addresses that it has."""
    if text(spec, "type") == "ExternalName":
        return NOTHING
    addresses, families, policy = texts(spec, "clusterIPs"), texts(spec, "ipFamilies"), pointer(spec, "ipFamilyPolicy")
    shown: Json = list(addresses)
    found = [_first(text(spec, "clusterIP"), addresses)]
    seen: set[str] = set()
    for index, family in enumerate(families):
        if family not in FAMILIES:
            found.append(unsupported(_FAMILIES / index, family, FAMILIES))
        if family in seen:
            found.append(duplicate(_FAMILIES / index, family))
        seen.add(family)
    if policy is not None and policy not in POLICIES:
        found.append(unsupported(_POLICY, policy, POLICIES))
    wrong = _each(addresses, stored)
    found.append(wrong)
    if len(addresses) > _MOST:
        found.append(invalid_value(_ADDRESSES, shown, f"may only hold up to {_MOST} values"))
    if wrong is NOTHING:
        if len(addresses) > 1 and not ip.are_of_both_versions(addresses):
            detail = "may specify no more than one IP for each IP family"
            found.append(invalid_value(_ADDRESSES, shown, detail))
        if not is_headless(spec):
            found.append(_agree(addresses, families))
    return merge(*found)


def _first(address: str, addresses: list[str]) -> Decision:
    shown: Json = list(addresses)
    if not address:
        detail = "must be empty when `clusterIP` is not specified"
        return invalid_value(_ADDRESSES, shown, detail) if addresses else NOTHING
    if not addresses:
        return required(_ADDRESSES)
    return (
        NOTHING if addresses[0] == address else invalid_value(_ADDRESSES, shown, "first value must match `clusterIP`")
    )


def _each(addresses: list[str], stored: Collection[str]) -> Decision:
    if addresses[:1] != ["None"]:
        return ip.each_address(addresses, _ADDRESSES, stored)
    if len(addresses) == 1:
        return NOTHING
    shown: Json = list(addresses)
    found = [invalid_value(_ADDRESSES, shown, "'None' must be the first and only value")]
    found += [ip.address(value, _ADDRESSES / index, stored) for index, value in enumerate(addresses) if index]
    return merge(*found)


def _agree(addresses: list[str], families: list[str]) -> Decision:
    found: list[Decision] = []
    for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
        if family in FAMILIES and ip.is_version_6(address) is not (family == "IPv6"):
            detail = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            found.append(invalid(_ADDRESSES / index, address, detail))
    return merge(*found)


def changed(spec: JsonObject, before: JsonObject) -> Decision:
    """What may not change."""
    if "ExternalName" in {text(spec, "type"), text(before, "type")}:
        return NOTHING
    found = NOTHING
    if not (is_headless(spec) and is_headless(before)):
        found = _addresses(spec, before)
    if not is_headless(spec) and not is_headless(before):
        found += _families(spec, before)
    return found


def _addresses(spec: JsonObject, before: JsonObject) -> Decision:
    now, then = texts(spec, "clusterIPs"), texts(before, "clusterIPs")
    shown: Json = list(now) or None
    if len(now) == len(then):
        differ = [index for index, address in enumerate(then) if address != now[index]]
        return merge(*[invalid_value(_ADDRESSES / index, shown, _ONCE) for index in differ])
    found: list[Decision] = []
    if not now:
        found.append(invalid_value(_ADDRESSES / 0, shown, "primary clusterIP can not be unset"))
    elif then and now[0] != then[0]:
        found.append(invalid_value(_ADDRESSES / 0, shown, _ONCE))
    if len(then) > len(now) == 1:
        found.append(_released(spec, "secondary clusterIP"))
    return merge(*found)


def _families(spec: JsonObject, before: JsonObject) -> Decision:
    now, then, addresses = texts(spec, "ipFamilies"), texts(before, "ipFamilies"), texts(spec, "clusterIPs")
    shown: Json = list(now) or None
    if len(now) == len(then):
        differ = sum(1 for index, family in enumerate(then) if family != now[index])
        return merge(*[invalid_value(_FAMILIES / 0, shown, _ONCE)] * differ)
    found: list[Decision] = []
    if len(then) > len(now) and not addresses:
        found.append(invalid_value(_FAMILIES / 0, shown, "primary ipFamily can not be unset"))
    if now and then and now[0] != then[0]:
        found.append(invalid_value(_FAMILIES / 0, list(addresses) or None, _ONCE))
    if len(then) > len(now) == 1:
        found.append(_released(spec, "secondary ipFamily"))
    return merge(*found)


def _released(spec: JsonObject, what: str) -> Decision:
    policy = pointer(spec, "ipFamilyPolicy")
    if policy == "SingleStack":
        return NOTHING
    return invalid_value(_POLICY, policy, f"must be set to 'SingleStack' when releasing the {what}")
