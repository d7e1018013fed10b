"""Which files secret, configMap, downwardAPI and projected volumes hold: their paths, modes and owners.

Specification (Kubernetes, pkg/volume secret, configmap, downwardapi, projected and util/atomic_writer.go, in our
words):
- Without `items` every key becomes a file of its name with `defaultMode`. With `items` each becomes a file at its
  `path`, with its own `mode` or `defaultMode`; a key that is not there is an error, unless the source is optional.
- An object that is not there is an error too, and an empty one where the source is optional.
- A projected volume takes its sources in order: a later file takes the place of an earlier one. All errors are told
  together. Only the volume has a `defaultMode`.
- The token of a service account has mode 0600 where the Pod has an fsGroup, or where all its containers run as one uid
  that the manifest names; that uid then owns the file. fsGroup makes 0640 of it.
- Paths are cleaned. An absolute one, one that has `..`, that begins with `..`, or that is too long is an error.
- The volume is a tmpfs, but for a configMap's, which is on disk. Its containers never may write to it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from podward.api.content import Content, ContentKind, FieldContent, KeyContent, TokenContent
from podward.api.core import Container, Pod, every_container
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.api.volume import (
    DownwardFile,
    KeyToPath,
    Projected,
    ProjectedKeys,
    ProjectedSource,
    ProjectedToken,
    Volume,
)
from podward.decision import Assignment, Decision, Origin, Source, Unknown, Violation
from podward.path import Path, path
from podward.policy.kubelet.downward import Allocatable, Unreadable, field_text, resource_text

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} volumes")
DEFAULT_MODE = 0o644
TOKEN_MODE = 0o600
TOKEN_SECONDS = 3600
_LONGEST_PATH, _LONGEST_NAME = 4096, 255

Keys: TypeAlias = Callable[[ContentKind, str], "frozenset[str] | Unknown | None"]
"""The keys of a Secret or ConfigMap of the Pod's namespace; None where there is no such object."""


class VolumeFile(Struct, frozen=True):
    """A file of the volume: where, with which mode, and what is in it; `uid` is its owner where that is not root."""

    path: str
    mode: int
    content: Content
    uid: int | None = None


class VolumeFiles(Struct, frozen=True):
    """What `decide` folds into. Where the Decision has something unknown, there may be more files."""

    files: tuple[VolumeFile, ...] = ()


class VolumeFacts(Struct, frozen=True):
    """The Pod, the objects that its volumes name, and what the node can allocate."""

    pod: Pod
    keys: Keys
    allocatable: Allocatable = Allocatable()


def in_memory(volume: Volume) -> bool:
    """Whether the volume is a tmpfs."""
    return volume.config_map is None


def has_files(volume: Volume) -> bool:
    """Whether the volume is one of those that hold files made for the Pod."""
    kinds = (volume.secret, volume.config_map, volume.downward_api, volume.projected)
    return any(kind is not None for kind in kinds)


def decide(volume: Volume, facts: VolumeFacts, where: Path, place: Place) -> Decision:
    """`files`, by their paths, and `unknown`; a violation for each error. `where` is the volume's place.

    A violation's reason is the kubelet's event.
    """
    made = _Collector(facts, place)
    if volume.secret is not None:
        secret, at = volume.secret, where / "secret"
        keys = _Keys("Secret", secret.secret_name or "", at / "secretName", secret.items, bool(secret.optional))
        made.keys(keys, at, (secret.default_mode, at / "defaultMode"))
    elif volume.config_map is not None:
        config, at = volume.config_map, where / "configMap"
        keys = _Keys("ConfigMap", config.name or "", at / "name", config.items, bool(config.optional))
        made.keys(keys, at, (config.default_mode, at / "defaultMode"))
    elif volume.downward_api is not None:
        fields, at = volume.downward_api, where / "downwardAPI"
        made.fields(fields.items, at, (fields.default_mode, at / "defaultMode"))
    elif volume.projected is not None:
        _projected(volume.projected, where / "projected", made)
    return made.decision(volume.name)


_Mode: TypeAlias = tuple[int | None, Path]
"""A volume's `defaultMode` and its place."""


class _Keys(Struct, frozen=True):
    """A source that takes keys of an object."""

    kind: ContentKind
    name: str
    name_at: Path
    items: tuple[KeyToPath, ...] | None
    optional: bool


def _projected(volume: Projected, at: Path, made: _Collector) -> None:
    mode = (volume.default_mode, at / "defaultMode")
    for index, source in enumerate(volume.sources or ()):
        _source(source, at / "sources" / index, mode, made)


def _source(source: ProjectedSource, at: Path, mode: _Mode, made: _Collector) -> None:
    if source.secret is not None:
        made.keys(_projected_keys("Secret", source.secret, at / "secret"), at / "secret", mode)
    elif source.config_map is not None:
        made.keys(_projected_keys("ConfigMap", source.config_map, at / "configMap"), at / "configMap", mode)
    elif source.downward_api is not None:
        made.fields(source.downward_api.items, at / "downwardAPI", mode)
    elif source.service_account_token is not None:
        made.token(source.service_account_token, at / "serviceAccountToken", mode)
    elif source.cluster_trust_bundle is not None:
        made.fault(at / "clusterTrustBundle", "trust bundles need an API server")
    elif source.pod_certificate is not None:
        made.fault(at / "podCertificate", "certificates of Pods need an API server")


def _projected_keys(kind: ContentKind, source: ProjectedKeys, at: Path) -> _Keys:
    return _Keys(kind, source.name or "", at / "name", source.items, bool(source.optional))


class _Collector:
    """Files by their paths as the sources come, and what is wrong with them."""

    def __init__(self, facts: VolumeFacts, place: Place) -> None:
        self._facts = facts
        self._place = place
        self._files: dict[str, tuple[VolumeFile, str, Source]] = {}
        self._unknown: list[tuple[Unknown, Source]] = []
        self._faults: list[tuple[Path, str]] = []

    def keys(self, source: _Keys, at: Path, mode: _Mode) -> None:
        """The files of a Secret or a ConfigMap; where the object isn't known, those that `items` name."""
        known = self._facts.keys(source.kind, source.name)
        if known is None and not source.optional:
            self.fault(source.name_at, f"{source.kind.lower()} {quote(source.name)} not found")
            return
        if isinstance(known, Unknown):
            self._unknown.append((known, self._written(source.name_at)))
        elif not source.items:
            for key in sorted(known or ()):
                self._add(key, mode, KeyContent(source.kind, source.name, key), source.name_at)
        for index, item in enumerate(source.items or ()):
            here = at / "items" / index
            if isinstance(known, Unknown) or item.key in (known or ()):
                own = (item.mode, here / "mode") if item.mode is not None else mode
                self._add(item.path, own, KeyContent(source.kind, source.name, item.key), here / "path")
            elif not source.optional:
                self.fault(here / "key", f"{_MISSING[source.kind]}: {item.key}")
                return

    def fields(self, items: tuple[DownwardFile, ...] | None, at: Path, mode: _Mode) -> None:
        """The files of the downward API."""
        for index, item in enumerate(items or ()):
            here = at / "items" / index
            text = self._text(item)
            if isinstance(text, Unreadable):
                self.fault(here, text.reason)
                continue
            own = (item.mode, here / "mode") if item.mode is not None else mode
            self._add(item.path, own, FieldContent(text), here / "path")

    def _text(self, item: DownwardFile) -> str | Unreadable:
        pod = self._facts.pod
        if item.field_ref is not None:
            return field_text(pod, item.field_ref.field_path or "")
        if item.resource_field_ref is not None:
            return resource_text(pod, item.resource_field_ref, "", self._facts.allocatable)
        return ""

    def token(self, token: ProjectedToken, at: Path, mode: _Mode) -> None:
        """The file of a service account's token."""
        pod = self._facts.pod
        seconds = token.expiration_seconds
        content = TokenContent(token.audience or "", TOKEN_SECONDS if seconds is None else seconds)
        context = pod.spec.security_context
        uid, uid_at = _one_user(pod)
        has_group = context is not None and context.fs_group is not None
        if uid is None and not has_group:
            self._add(token.path or "", mode, content, at / "path")
            return
        because = uid_at if uid is not None else path("spec", "securityContext", "fsGroup")
        reason = "a token is for the Pod's own user and group alone"
        self._put(
            VolumeFile(token.path or "", TOKEN_MODE, content, uid), at / "path", reason, self._place.pod + because
        )

    def fault(self, at: Path, reason: str) -> None:
        """Note an error of the volume."""
        self._faults.append((at, reason))

    def decision(self, name: str) -> Decision:
        """All of it."""
        if self._faults:
            prefix = f"MountVolume.SetUp failed for volume {quote(name)} : "
            return Decision((), tuple(Violation(at, name, f"{prefix}{why}", RULE) for at, why in self._faults))
        rows = [self._files[each] for each in sorted(self._files)]
        files = (Assignment(path("files", i), file, why, source) for i, (file, why, source) in enumerate(rows))
        unknown = (Assignment(path("unknown", i), what, what.why, by) for i, (what, by) in enumerate(self._unknown))
        return Decision((*files, *unknown))

    def _add(self, written: str, mode: _Mode, content: Content, at: Path) -> None:
        bits, mode_at = mode
        file = VolumeFile(written, DEFAULT_MODE if bits is None else bits, content)
        self._put(file, at, str(mode_at.segments[-1]), mode_at if bits is not None else None)

    def _put(self, file: VolumeFile, at: Path, reason: str, decided: Path | None) -> None:
        """Keep the file under its clean path; `at` is where the manifest names it, `decided` what gives it its mode."""
        fault = _path_fault(file.path)
        if fault:
            self.fault(at, fault)
            return
        clean = posixpath.normpath(file.path)
        source = self._written(decided) if decided is not None else Source(Origin.DEFAULT, "volume defaults")
        self._files[clean] = (VolumeFile(clean, file.mode, file.content, file.uid), reason, source)

    def _written(self, at: Path) -> Source:
        return Source(Origin.MANIFEST, self._place.document, at)


_MISSING: Mapping[ContentKind, str] = {
    "Secret": "references non-existent secret key",
    "ConfigMap": "configmap references non-existent config key",
}


def _path_fault(written: str) -> str:
    """What is wrong with the path of a file; empty where nothing is."""
    steps = written.split("/")
    faults = (
        (not written, 'must not be empty: ""'),
        (written.startswith("/"), f"must be relative path: {written}"),
        (len(written.encode()) > _LONGEST_PATH, f"must be less than or equal to {_LONGEST_PATH} characters"),
        (".." in steps, f"must not contain '..': {written}"),
        (
            any(len(step.encode()) > _LONGEST_NAME for step in steps),
            f"filenames must be less than or equal to {_LONGEST_NAME} characters",
        ),
        (steps[0].startswith(".."), f"must not start with '..': {written}"),
    )
    return next((f"invalid path: {what}" for wrong, what in faults if wrong), "")


def _one_user(pod: Pod) -> tuple[int | None, Path]:
    """The uid that the manifest names for every container, and where it does; None unless it is the same for all."""
    found: int | None = None
    at = Path()
    for uid, where in _users(pod):
        if uid is None or (found is not None and uid != found):
            return None, Path()
        found, at = uid, where
    return found, at


def _users(pod: Pod) -> Iterator[tuple[int | None, Path]]:
    above = pod.spec.security_context
    for name, index, container in every_container(pod.spec):
        own = _own_user(container)
        if own is not None:
            yield own, path("spec", name, index, "securityContext", "runAsUser")
        else:
            yield (above.run_as_user if above is not None else None), path("spec", "securityContext", "runAsUser")


def _own_user(container: Container) -> int | None:
    context = container.security_context
    return context.run_as_user if context is not None else None
