"""The manifests of tests/corpus/hints: what their first lines promise, and the facts that they need.

# host: 0:5000 2770      /srv/podward-hints is a directory of this owner, group and mode
# options: --seccomp-default
# beside: NAME           the Pod of beside/NAME.yaml runs meanwhile
# exit: 1                of the run; a regular expression for each of the others:
# prints: …              on standard output            cured: …        the same, once the hint's changes are made
# says: …                on standard error             cured-says: …
# with: cri-o …          on either, with other runtime defaults          cured-with: cri-o …
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from podward.api.core import Container, Pod, every_container
from podward.api.image import EntryFile, FileCapabilities, Image
from podward.api.json_value import Json, JsonObject
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.volume import Volume
from podward.documents.reader import decode_documents
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.schema.view import pod_view

HINTS = Path(__file__).parent.parent / "corpus" / "hints"
HOST_DIRECTORY = "/srv/podward-hints"
ODD_IMAGE = "localhost/hints:odd"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.45"


class Case(NamedTuple):
    """One manifest: its rule, the file, its text."""

    rule: str
    path: Path
    text: str

    def promised(self, word: str) -> list[str]:
        return re.findall(rf"^# {word}: (.*)$", self.text, re.MULTILINE)

    @property
    def options(self) -> list[str]:
        return [word for line in self.promised("options") for word in line.split()]

    @property
    def node_changes(self) -> dict[str, Json]:
        """What the options make of the node."""
        changes: dict[str, Json] = {"seccomp_default": "--seccomp-default" in self.options}
        if "--runtime-defaults" in self.options:
            changes["runtime_defaults"] = self.options[self.options.index("--runtime-defaults") + 1]
        return changes

    @property
    def host(self) -> tuple[int, int, int] | None:
        """Owner, group and mode of the host's directory."""
        for line in self.promised("host"):
            owner, mode = line.split()
            uid, gid = owner.split(":")
            return int(uid), int(gid), int(mode, 8)
        return None

    def node(self, node: Node) -> Node:
        return msgspec.structs.replace(node, **self.node_changes)

    def volumes(self) -> tuple[VolumeFacts, ...]:
        """What is known of the Pod's volumes before it runs, as the kubelet's rules and `# host` say."""
        raw = decode_documents(self.text.encode(), self.path.name)[0].raw
        pod = pod_view(raw)
        spec = raw["spec"]
        listed = spec.get("volumes") if isinstance(spec, dict) else None
        written = listed if isinstance(listed, list) else []
        return tuple(
            self._volume(pod, volume, source if isinstance(source, dict) else {})
            for volume, source in zip(pod.spec.volumes or (), written, strict=True)
        )

    def _volume(self, pod: Pod, volume: Volume, source: JsonObject) -> VolumeFacts:
        kind = next(name for name in source if name != "name")
        group = pod.spec.security_context.fs_group if pod.spec.security_context else None
        inner = source[kind]
        if kind == "emptyDir":
            return VolumeFacts(volume.name, kind, FileFacts(0, group or 0, 0o42777 if group else 0o40777))
        if kind == "hostPath":
            assert self.host is not None
            uid, gid, mode = self.host
            return VolumeFacts(volume.name, kind, FileFacts(uid, gid, 0o40000 | mode))
        written = inner.get("defaultMode", 0o644) if isinstance(inner, dict) else 0o644
        assert isinstance(written, int)
        mode = written
        users = {_user(pod, container) for _, _, container in every_container(pod.spec)}
        user = users.pop() if len(users) == 1 and kind == "projected" else None
        if kind == "projected" and (group is not None or user is not None):
            mode = 0o600
        file = FileFacts(user or 0, group or 0, mode | (0o440 if group is not None else 0))
        return VolumeFacts(volume.name, kind, files=(("*", file),))


def _user(pod: Pod, container: Container) -> int | None:
    own, of_pod = container.security_context, pod.spec.security_context
    if own is not None and own.run_as_user is not None:
        return own.run_as_user
    return of_pod.run_as_user if of_pod is not None else None


def cases(kind: str) -> list[Case]:
    """Every `fail` or `pass` manifest."""
    return [Case(path.parts[-3], path, path.read_text(encoding="utf-8")) for path in sorted(HINTS.glob(f"*/{kind}/*"))]


def name_of(case: Case) -> str:
    return f"{case.rule}/{case.path.stem}"


def odd_entry(_image: Image, spec: RuntimeSpec) -> EntryFile:
    """The entry files of the corpus as they are in the odd image; every other one is an ordinary program."""
    name = spec.process.args[0]
    if name == "/setuid/ping":
        return EntryFile(name, 0o104755, 0, 0)
    if name == "/capable/ip":
        return EntryFile(name, 0o100755, 0, 0, capabilities=FileCapabilities(1 << 12, 0, effective=True))
    return EntryFile(f"/bin/{name}", 0o100755, 0, 0)
