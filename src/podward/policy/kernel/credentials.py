"""The credentials of a process between the runtime's last call and its execve(2).

Not a rule: the value that the rules of identity, capabilities and no_new_privs decide together and that the rule of
execve transforms.
"""

from __future__ import annotations

from msgspec import Struct


class Credentials(Struct, frozen=True, gc=False):
    """Real, effective, saved and file-system ids are one, as runtimes set them; ids are the host's.

    `groups` are the supplementary ones. The capability sets are masks (capabilities(7)).
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int
    cap_bounding: int
    cap_ambient: int
    no_new_privs: bool

    def has_group(self, gid: int) -> bool:
        """Whether the process acts with this group: its own, or a supplementary one."""
        return gid == self.gid or gid in self.groups
