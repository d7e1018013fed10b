"""The image's /etc/passwd does not have the uid: the process has no name, no home directory, and group 0.

Specification (crun 1.8, runc 1.1 and containerd 2.2 as observed; passwd(5)), in our words:
- The OCI runtime takes HOME from the uid's line in the container's /etc/passwd. Without a line runc sets `/` and crun
  sets nothing; either way programs write to `$HOME` in a directory that only root may write.
- The runtime takes the group from that line too: without a line and without runAsGroup it is 0. The hint mentions this
  but does not change it, because images for arbitrary uids give their files to group 0 on purpose.
- If the manifest or the image sets HOME, the runtime keeps it, and no hint is given. No hint is given about uid 0
  either, because root may write to `/`. getpwuid(3) still fails; only the image can change that.
- The remedy is HOME=/tmp if every user may write to /tmp: in the image, if the root is writable, or on a volume.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts, container_field, user_field, user_source
from podward.policy.hints.mounts import TMP, tmp_is_writable

NAME = "uid-without-passwd"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint."""
    if facts.spec is None:
        return ()
    process = facts.spec.value.process
    uid, gid = process.user.uid, process.user.gid
    if uid == 0 or any(entry.uid == uid for entry in facts.passwd):
        return ()
    if any(variable.startswith("HOME=") and variable != "HOME=" for variable in process.env):
        return ()
    group = ", and its group is 0" if gid == 0 and facts.effective.value.run_as_group is None else ""
    remedy, changes = f"Set HOME={TMP}, or add the uid to the image's /etc/passwd.", _home(facts)
    if not changes:
        remedy = "Mount an emptyDir and point HOME to it, or add the uid to the image's /etc/passwd."
    return (
        Hint(
            NAME,
            facts.container.name,
            user_field(facts),
            f"Uid {uid} is not in the image's /etc/passwd: it has no name, HOME is not set or is /, where it may not "
            f"write{group}.",
            remedy,
            changes,
            user_source(facts),
        ),
    )


def _home(facts: HintFacts) -> tuple[Change, ...]:
    if not tmp_is_writable(facts):
        return ()
    variables = facts.container.env or ()
    return (Change(container_field(facts, "env", len(variables)), {"name": "HOME", "value": TMP}),)
