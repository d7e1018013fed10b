"""Volumes of plain Pods.

Specification: `validation.volumes` and `validation.volume_source`. The commonest kinds have types of their own, taken a
little too strictly; about the others the rules themselves are asked. A driver's inline volume (`csi`) is never plain:
OpenShift has rules of its own about it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field, to_builtins
from msgspec.structs import astuple

from podward.path import path
from podward.schema.plain.amounts import units
from podward.schema.plain.part import Count, Mode, PlainObject, Raw, is_inside
from podward.schema.validation.names import label_faults

_AT = path("spec")


class PlainItem(PlainObject, frozen=True):
    """KeyToPath."""

    key: str
    path: str
    mode: Mode | None = None


class PlainEmptyDir(PlainObject, frozen=True):
    """EmptyDirVolumeSource."""

    medium: str | None = None
    size_limit: str | Count | None = None


class PlainConfigMap(PlainObject, frozen=True):
    """ConfigMapVolumeSource."""

    name: str
    default_mode: Mode | None = None
    items: tuple[PlainItem, ...] | None = None
    optional: bool | None = None


class PlainSecret(PlainObject, frozen=True):
    """SecretVolumeSource."""

    secret_name: str
    default_mode: Mode | None = None
    items: tuple[PlainItem, ...] | None = None
    optional: bool | None = None


class PlainClaim(PlainObject, frozen=True):
    """PersistentVolumeClaimVolumeSource."""

    claim_name: str
    read_only: bool | None = None


class PlainHostPath(PlainObject, frozen=True):
    """HostPathVolumeSource."""

    path: str
    type: (
        Literal["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
        | None
    ) = None


class PlainVolume(PlainObject, frozen=True):
    """Volume."""

    name: str
    empty_dir: PlainEmptyDir | None = None
    config_map: PlainConfigMap | None = None
    secret: PlainSecret | None = None
    persistent_volume_claim: PlainClaim | None = None
    host_path: PlainHostPath | None = None
    projected: Raw | None = None
    downward_api: Raw | None = field(default=None, name="downwardAPI")
    nfs: Raw | None = None
    ephemeral: Raw | None = None


_ALL_BUT_ONE = len(PlainVolume.__struct_fields__) - len(("name", "the one"))


def names_of(volumes: tuple[PlainVolume, ...], pod: str) -> frozenset[str] | None:
    """The names of the volumes; None if something can be said against one.

    `pod` is the name of their Pod. It has a service account by the time its volumes are validated.
    """
    names = frozenset([volume.name for volume in volumes])
    if len(names) < len(volumes):
        return None
    uncommon: list[PlainVolume] = []
    for volume in volumes:
        if label_faults(volume.name) or astuple(volume).count(None) != _ALL_BUT_ONE:
            return None
        sound = _is_common(volume)
        if sound is None:
            uncommon.append(volume)
        elif not sound:
            return None
    return names if not uncommon or _are_uncommon(volumes, pod) else None


def _is_common(volume: PlainVolume) -> bool | None:
    """Whether a volume that has one source is sound; None where it is of an uncommon kind."""
    config, secret, empty = volume.config_map, volume.secret, volume.empty_dir
    if config is not None:
        return bool(config.name) and (not config.items or _are_items(config.items))
    if empty is not None:
        return empty.size_limit is None or units(empty.size_limit) is not None
    if secret is not None:
        return bool(secret.secret_name) and (not secret.items or _are_items(secret.items))
    claim, host = volume.persistent_volume_claim, volume.host_path
    if claim is not None:
        return bool(claim.claim_name)
    if host is not None:
        return bool(host.path) and ".." not in host.path
    return None


def _are_items(items: tuple[PlainItem, ...]) -> bool:
    return all(bool(item.key) and is_inside(item.path) for item in items)


def _are_uncommon(volumes: tuple[PlainVolume, ...], pod: str) -> bool:
    """Whether the volumes are sound, as schema, defaulting and validation say it."""
    from podward.api.core import ObjectMeta, PodSpec
    from podward.schema.defaulting import defaulted
    from podward.schema.fit import fits
    from podward.schema.validation.volumes import check, check_tokens

    written = to_builtins(volumes)
    if not fits(list(written), "[Volume"):
        return False
    stored = defaulted({"spec": {"volumes": list(written)}})[0]
    account = PodSpec(service_account_name="any")
    found, _ = check(ObjectMeta(name=pod), stored, _AT)
    return not found.refused and not check_tokens(account, stored, _AT).refused
