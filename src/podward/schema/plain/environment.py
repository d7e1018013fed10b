"""Environment variables of plain containers.

Specification: `validation.environment` and `validation.downward`, taken a little too strictly rather than too loosely.
"""

from __future__ import annotations

from functools import lru_cache
from re import compile as pattern
from typing import Literal

from msgspec.structs import astuple

from podward.path import path
from podward.schema.plain.amounts import units
from podward.schema.plain.part import Count, PlainObject
from podward.schema.validation.names import subdomain_faults

_KEY = pattern(r"(?!\.\.|\.\Z)[-._a-zA-Z0-9]{1,253}\Z")
_AT = path("env")


class KeyOfObject(PlainObject, frozen=True):
    """SecretKeySelector and ConfigMapKeySelector."""

    name: str
    key: str
    optional: bool | None = None


class OwnField(PlainObject, frozen=True):
    """ObjectFieldSelector."""

    field_path: str
    api_version: Literal["v1"] | None = None


class OwnResource(PlainObject, frozen=True):
    """ResourceFieldSelector."""

    resource: str
    container_name: str | None = None
    divisor: str | Count | None = None


class PlainValueFrom(PlainObject, frozen=True):
    """EnvVarSource."""

    secret_key_ref: KeyOfObject | None = None
    config_map_key_ref: KeyOfObject | None = None
    field_ref: OwnField | None = None
    resource_field_ref: OwnResource | None = None


_ALL_BUT_ONE = len(PlainValueFrom.__struct_fields__) - 1


class PlainVariable(PlainObject, frozen=True):
    """EnvVar."""

    name: str
    value: str | None = None
    value_from: PlainValueFrom | None = None


class PlainReference(PlainObject, frozen=True):
    """ConfigMapEnvSource, SecretEnvSource."""

    name: str
    optional: bool | None = None


class PlainVariables(PlainObject, frozen=True):
    """EnvFromSource."""

    config_map_ref: PlainReference | None = None
    secret_ref: PlainReference | None = None
    prefix: str | None = None


def are_variables(variables: tuple[PlainVariable, ...]) -> bool:
    """Whether a container's `env` is sound."""
    names = [variable.name for variable in variables]
    text = "".join(names)
    if "" in names or "=" in text or not (text.isascii() and text.isprintable()):
        return False
    for variable in variables:
        source = variable.value_from
        if source is not None and (variable.value or not _is_one_source(source)):
            return False
    return True


def _is_one_source(source: PlainValueFrom) -> bool:
    if astuple(source).count(None) != _ALL_BUT_ONE:
        return False
    key, own, resource = source.secret_key_ref or source.config_map_key_ref, source.field_ref, source.resource_field_ref
    if key is not None:
        return _KEY.match(key.key) is not None and not subdomain_faults(key.name)
    if own is not None:
        return _is_field(own.field_path)
    return resource is not None and _is_resource(resource.resource, resource.divisor)


@lru_cache(1 << 8)
def _is_field(place: str) -> bool:
    from podward.schema.validation.downward import field_of_variable

    return not field_of_variable({"apiVersion": "v1", "fieldPath": place}, _AT).refused


@lru_cache(1 << 8)
def _is_resource(resource: str, divisor: str | int | None) -> bool:
    from podward.schema.validation.downward import resource_of_variable

    if divisor is not None and units(divisor) is None:
        return False
    return not resource_of_variable({"resource": resource, "divisor": divisor}, _AT).refused


def is_source(source: PlainVariables) -> bool:
    """Whether an item of a container's `envFrom` is sound."""
    config, secret, prefix = source.config_map_ref, source.secret_ref, source.prefix
    if prefix and ("=" in prefix or not (prefix.isascii() and prefix.isprintable())):
        return False
    if (config is None) == (secret is None):
        return False
    reference = config or secret
    return reference is not None and not subdomain_faults(reference.name)
