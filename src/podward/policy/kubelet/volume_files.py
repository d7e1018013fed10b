"""Which files secret, configMap, downwardAPI and projected volumes hold: their paths, modes and owners.

Specification (Kubernetes, pkg/volume secret, configmap, downwardapi, projected and util/atomic_writer.go, in our
words):
- Without `items` every key becomes a file of its name with `defaultMode`. With `items` each becomes a file at its
  `path`, with its own `mode` or `defaultMode`; a key that is not there is an error, unless the source is optional.
- An object that is not there is an error too, and an empty one where the source is optional.
- A projected volume takes its sources in order: a later file takes the place of an earlier one. All errors are told
  together. Only the volume has a `defaultMode`.
- What is for the Pod alone (a service account's token, trust bundles, certificates) has mode 0600 where the Pod has an
  fsGroup, or where all its containers run as one uid that the manifest names; that uid then owns the file.
- Every file, and the volume's directory, is given to fsGroup as on a read-only volume: 0440 is added, so that 0600
  becomes 0640.
- The volume is a tmpfs, but for a configMap's, which is on disk. Its containers never may write to it.

A controller publishes the cluster's certificates in every namespace, as the ConfigMap kube-root-ca.crt; OpenShift adds
openshift-service-ca.crt. Where they are not given, certificates are made here. Trust bundles and certificates of Pods
come from an API server alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from podward.api.content import (
    CertificateContent,
    Content,
    ContentKind,
    ContentObject,
    FieldContent,
    KeyContent,
    TokenContent,
)
from podward.api.core import Container, Pod, every_container
from podward.api.gotext import quote
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import Missing
from podward.api.version import KUBERNETES
from podward.api.volume import (
    DownwardFile,
    KeyToPath,
    PodCertificate,
    Projected,
    ProjectedKeys,
    ProjectedSource,
    ProjectedToken,
    TrustBundle,
    Volume,
)
from podward.decision import Assignment, AwaitedViolation, Decision, Origin, Source, Unknown, Violation, assign
from podward.path import Path, path
from podward.policy.kubelet import fs_group, trust_bundles
from podward.policy.kubelet.downward import Unreadable, field_text, resource_text
from podward.policy.kubelet.volume_paths import path_fault

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} volumes")
DEFAULT_MODE = 0o644
TOKEN_MODE = 0o600
TOKEN_SECONDS = 3600
EVERY_KEY = "*"
"""Stands for the files of an object whose keys nobody knows."""

_PUBLISHED = {"kube-root-ca.crt": "ca.crt", "openshift-service-ca.crt": "service-ca.crt"}
"""The ConfigMaps that a controller publishes in every namespace, with their keys."""
_INSTEAD = "project a Secret or ConfigMap with the same files instead"
_ADD = "add the key, or give the object with --with FILE"


class VolumeFile(Struct, frozen=True):
    """A file of the volume: where, with which mode, and what is in it; `uid` is its owner where that is not root."""

    path: str
    mode: int
    content: Content
    uid: int | None = None


class VolumeFiles(Struct, frozen=True):
    """What `decide` folds into: the files as they are written, and the group that they are given to then.

    `medium` is Memory for a tmpfs; `modes` are those that the files have at the end. Where the Decision has something
    unknown, there may be more files.
    """

    files: tuple[VolumeFile, ...] = ()
    medium: str = ""
    group: int | None = None
    modes: tuple[str, ...] = ()


def in_memory(volume: Volume) -> bool:
    """Whether the volume is a tmpfs."""
    return volume.config_map is None


def decide(volume: Volume, facts: PodFacts, where: Path) -> Decision:
    """The fields of `VolumeFiles`; a violation for each error. `where` is the place of the volume's source.

    A violation's reason is the kubelet's event. What the Pod only waits for is a violation beside the files that are
    known all the same.
    """
    made = _Collector(facts)
    if volume.secret is not None:
        secret, at = volume.secret, where
        keys = _Keys("Secret", secret.secret_name or "", at / "secretName", secret.items, bool(secret.optional))
        made.keys(keys, at, (secret.default_mode, at / "defaultMode"))
    elif volume.config_map is not None:
        config, at = volume.config_map, where
        keys = _Keys("ConfigMap", config.name or "", at / "name", config.items, bool(config.optional))
        made.keys(keys, at, (config.default_mode, at / "defaultMode"))
    elif volume.downward_api is not None:
        fields, at = volume.downward_api, where
        made.fields(fields.items, at, (fields.default_mode, at / "defaultMode"))
    elif volume.projected is not None:
        _projected(volume.projected, where, made)
    decided = made.decision(volume.name)
    return decided if decided.final else decided + _medium(volume) + _given(decided.fold(VolumeFiles).files, facts)


def _medium(volume: Volume) -> Decision:
    reason = "a kubelet keeps it in memory" if in_memory(volume) else "a kubelet keeps it on disk"
    return assign(path("medium"), "Memory" if in_memory(volume) else "", reason, RULE)


def _given(files: tuple[VolumeFile, ...], facts: PodFacts) -> Decision:
    """The group that the volume is given to, and the modes that its files have then."""
    root = fs_group.FileFacts("directory", 0, 0)
    given = fs_group.decide(facts.pod.spec.security_context, root, facts.place, readonly=True, fresh=True)
    if given.fold(VolumeFiles).group is None:
        return given
    modes = tuple(dict.fromkeys(f"{ownership(file, facts.pod)[2]:04o}" for file in files))
    return given + assign(path("modes"), modes, "the group may read", fs_group.RULE) if modes else given


def ownership(file: VolumeFile, pod: Pod) -> tuple[int, int, int]:
    """The uid, gid and mode of the file once the volume was given to the Pod's fsGroup."""
    context = pod.spec.security_context
    group = context.fs_group if context is not None else None
    if group is None:
        return file.uid or 0, 0, file.mode
    given = fs_group.ownership(fs_group.FileFacts("other", 0, file.mode), group, readonly=True)
    return file.uid or 0, given.gid, file.mode if given.mode is None else given.mode


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
        made.trust_bundle(source.cluster_trust_bundle, at / "clusterTrustBundle", mode)
    elif source.pod_certificate is not None:
        made.certificate(source.pod_certificate, at / "podCertificate", mode)


def _projected_keys(kind: ContentKind, source: ProjectedKeys, at: Path) -> _Keys:
    return _Keys(kind, source.name or "", at / "name", source.items, bool(source.optional))


class _Collector:
    """Files by their paths as the sources come, and what is wrong with them."""

    def __init__(self, facts: PodFacts) -> None:
        self._facts = facts
        self._files: dict[str, tuple[VolumeFile, str, Source]] = {}
        self._unknown: list[tuple[Unknown, Source]] = []
        self._faults: list[tuple[Path, str]] = []
        self._awaited: list[tuple[Path, str]] = []

    def keys(self, source: _Keys, at: Path, mode: _Mode) -> None:
        """The files of a Secret or a ConfigMap; where the object isn't known, those that `items` name."""
        known = self._known(source)
        if isinstance(known, Unknown):
            self._unknown.append((known, self._written(source.name_at)))
        elif isinstance(known, Missing):
            reason = f"{source.kind.lower()} {quote(source.name)} not found"
            self._awaited.append((source.name_at, self._facts.objects.told(reason, known.remedy)))
        held: Mapping[str, Content] = {} if isinstance(known, Missing | Unknown) else known
        if not source.items:
            for key in sorted(held) if held is known else [EVERY_KEY]:
                self._add(key, mode, held.get(key) or KeyContent(source.kind, source.name, key), source.name_at)
        for index, item in enumerate(source.items or ()):
            here = at / "items" / index
            own = (item.mode, here / "mode") if item.mode is not None else mode
            if item.key in held or held is not known:
                content = held.get(item.key) or KeyContent(source.kind, source.name, item.key)
                self._add(item.path, own, content, here / "path")
            elif not source.optional:
                reason = f"{_MISSING[source.kind]}: {item.key}"
                self._awaited.append((here / "key", self._facts.objects.told(reason, _ADD)))

    def _known(self, source: _Keys) -> Mapping[str, Content] | Missing | Unknown:
        """What the keys of the object hold; nothing where it may be absent."""
        namespace = self._facts.pod.metadata.namespace or "default"
        found = self._facts.objects.content(source.kind, namespace, source.name)
        if isinstance(found, ContentObject):
            return {key: KeyContent(source.kind, source.name, key) for key in found.data}
        if source.kind == "ConfigMap" and source.name in _PUBLISHED and not self._facts.objects.live:
            return {_PUBLISHED[source.name]: CertificateContent()}
        return {} if isinstance(found, Missing) and source.optional else found

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
            return resource_text(pod, item.resource_field_ref, "", self._facts.node)
        return ""

    def token(self, token: ProjectedToken, at: Path, mode: _Mode) -> None:
        """The file of a service account's token."""
        seconds = token.expiration_seconds
        content = TokenContent(token.audience or "", TOKEN_SECONDS if seconds is None else seconds)
        self._private(token.path or "", mode, content, at / "path")

    def trust_bundle(self, bundle: TrustBundle, at: Path, mode: _Mode) -> None:
        """The file of trusted certificates, as far as they are known; an empty one where it may be absent."""
        known = self._facts.objects.trust_bundles
        if known is not None:
            found = trust_bundles.decide(bundle, known)
            if isinstance(found, trust_bundles.NoAnchors):
                self._awaited.append((at, found.reason))
            else:
                self._private(bundle.path or "", mode, FieldContent(found), at / "path")
            return
        if not bundle.optional:
            self._unknown.append((Unknown("trust bundles are an API server's", _INSTEAD), self._written(at)))
        self._private(bundle.path or "", mode, FieldContent(""), at / "path")

    def certificate(self, certificate: PodCertificate, at: Path, mode: _Mode) -> None:
        """The files of the Pod's own key and certificate, which nobody here knows."""
        self._unknown.append((Unknown("certificates of Pods are an API server's", _INSTEAD), self._written(at)))
        paths = {
            "credentialBundlePath": certificate.credential_bundle_path,
            "keyPath": certificate.key_path,
            "certificateChainPath": certificate.certificate_chain_path,
        }
        for field, written in paths.items():
            if written:
                self._private(written, mode, FieldContent(""), at / field)

    def _private(self, written: str, mode: _Mode, content: Content, at: Path) -> None:
        """Keep a file that is for the Pod's own user and group alone."""
        pod = self._facts.pod
        context = pod.spec.security_context
        uid, uid_at = _one_user(pod)
        if uid is None and (context is None or context.fs_group is None):
            self._add(written, mode, content, at)
            return
        because = uid_at if uid is not None else path("spec", "securityContext", "fsGroup")
        reason = "it is for the Pod's own user and group alone"
        self._put(VolumeFile(written, TOKEN_MODE, content, uid), at, reason, self._facts.place.pod + because)

    def fault(self, at: Path, reason: str) -> None:
        """Note an error of the volume."""
        self._faults.append((at, reason))

    def decision(self, name: str) -> Decision:
        """All of it."""
        prefix = f"MountVolume.SetUp failed for volume {quote(name)} : "
        refused = (Violation(at, name, f"{prefix}{why}", RULE) for at, why in self._faults)
        awaited = (AwaitedViolation(at, name, f"{prefix}{why}", RULE) for at, why in self._awaited)
        if self._faults:
            return Decision((), (*refused, *awaited))
        rows = [self._files[each] for each in sorted(self._files)]
        files = (Assignment(path("files", i), file, why, source) for i, (file, why, source) in enumerate(rows))
        unknown = (Assignment(path("content", i), what, what.why, by) for i, (what, by) in enumerate(self._unknown))
        return Decision((*files, *unknown), tuple(awaited))

    def _add(self, written: str, mode: _Mode, content: Content, at: Path) -> None:
        bits, mode_at = mode
        file = VolumeFile(written, DEFAULT_MODE if bits is None else bits, content)
        self._put(file, at, str(mode_at.segments[-1]), mode_at if bits is not None else None)

    def _put(self, file: VolumeFile, at: Path, reason: str, decided: Path | None) -> None:
        """Keep the file under its clean path; `at` is where the manifest names it, `decided` what gives it its mode."""
        fault = path_fault(file.path)
        if fault:
            self.fault(at, fault)
            return
        clean = posixpath.normpath(file.path)
        source = self._written(decided) if decided is not None else Source(Origin.DEFAULT, "volume defaults")
        self._files[clean] = (VolumeFile(clean, file.mode, file.content, file.uid), reason, source)

    def _written(self, at: Path) -> Source:
        return Source(Origin.MANIFEST, self._facts.place.document, at)


_MISSING: Mapping[ContentKind, str] = {
    "Secret": "references non-existent secret key",
    "ConfigMap": "configmap references non-existent config key",
}


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
