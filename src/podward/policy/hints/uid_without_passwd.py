"""A uid that the image's /etc/passwd does not have: no name, no home, group 0.

Specification (crun 1.8, runc 1.1 and containerd 2.2 as observed; passwd(5)), in our words:
- The OCI runtime takes HOME from the line of the uid in the container's /etc/passwd. Without a line runc says `/` and
  crun nothing; either way what is written to `$HOME` lands in a directory that only root may write.
- The runtime takes the group from that line too: without one, and without runAsGroup, it is 0. That is said, and not
  changed: images for arbitrary uids give their files to group 0 on purpose.
- A HOME that the manifest or the image sets is kept: then nothing is said. Neither is anything said about uid 0, who
  may write to `/`. getpwuid(3) fails all the same; only the image can cure that.
- The remedy is HOME=/tmp where everybody may write to /tmp: on the image's, if the root is writable, or on a volume.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import field_of_the_user, of_container, who_chose_the_user
from podward.policy.hints.temporary import TMP, is_writable

NAME = "uid-without-passwd"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint."""
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
            field_of_the_user(facts),
            f"Uid {uid} is not in the image's /etc/passwd: it has no name, HOME is not set or is /, where it may not "
            f"write{group}.",
            remedy,
            changes,
            who_chose_the_user(facts),
        ),
    )


def _home(facts: HintFacts) -> tuple[Change, ...]:
    if not is_writable(facts):
        return ()
    variables = facts.container.env or ()
    return (Change(of_container(facts, "env", len(variables)), {"name": "HOME", "value": TMP}),)
