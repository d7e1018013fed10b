"""The root file system is read-only, and no writable volume is mounted at /tmp.

Specification (tmpfile conventions of hier(7) and environ(7); mount(2) EROFS; containerd 2.2), in our words:
- readOnlyRootFilesystem makes the image's /tmp read-only as well, whatever its mode; only a volume mounted there, or
  above it, is writable. Programs that create temporary files in /tmp then fail with EROFS.
- If TMPDIR names a directory on a writable mount, programs use that, and no hint is given.
- `VOLUME /tmp` in the image is not mounted here, nor in CRI-O.
"""

from __future__ import annotations

from posixpath import normpath

from podward.api.explanation import Change, Hint
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, manifest_source, pod_field, source_of
from podward.policy.hints.mounts import TMP, is_read_only, mount_holding

NAME = "read-only-root-without-tmp"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint; its change adds an emptyDir and mounts it."""
    if facts.spec is None or not facts.spec.value.root.readonly:
        return ()
    used = _directory(facts)
    mount = mount_holding(facts.spec.value, used)
    if mount is not None and not is_read_only(mount):
        return ()
    field = container_field(facts, "securityContext", "readOnlyRootFilesystem")
    name = _free_name(facts)
    volumes, mounts = facts.pod.spec.volumes or (), facts.container.volume_mounts or ()
    return (
        Hint(
            NAME,
            facts.container.name,
            field,
            f"The root is read-only and no volume is mounted at {used}: temporary files cannot be written (EROFS).",
            f"Mount an emptyDir at {used}.",
            (
                Change(pod_field(facts, "volumes", len(volumes)), {"name": name, "emptyDir": {}}),
                Change(container_field(facts, "volumeMounts", len(mounts)), {"name": name, "mountPath": used}),
            )
            if mount is None
            else (),
            source_of(facts.spec.decision, path("root", "readonly"), manifest_source(facts, field)),
        ),
    )


def _directory(facts: HintFacts) -> str:
    """The directory that programs use for temporary files: TMPDIR if it is an absolute path, else /tmp."""
    chosen = TMP
    for variable in facts.spec.value.process.env if facts.spec is not None else ():
        name, _, value = variable.partition("=")
        if name == "TMPDIR" and value.startswith("/"):
            chosen = normpath(value)
    return chosen


def _free_name(facts: HintFacts) -> str:
    """A name for a volume that the Pod does not use yet."""
    taken = {volume.name for volume in facts.pod.spec.volumes or ()}
    name, number = "tmp", 1
    while name in taken:
        number += 1
        name = f"tmp-{number}"
    return name
