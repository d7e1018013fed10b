"""What execve(2) leaves of a process's ids and capabilities, whatever the file is.

Specification (`execve`, the rule for a file that is known), in our words; where none of this decides, the value is
unknown:
- The effective id is the file's owner or group if the file is set-user-ID or set-group-ID; under no_new_privs it stays.
- Inheritable and bounding stay.
- Permitted is within bounding, inheritable and ambient together, and effective within permitted: where there is nothing
  in those three, there is nothing in these.
- The ambient set is kept or emptied: an empty one stays empty.
"""

from __future__ import annotations

from msgspec import Struct

from podward.decision import Decision, Unknown, assign, merge
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

EXECVE = rule("execve(2)")


class _Before(Struct, frozen=True, gc=False):
    """What is known of the process before execve(2); ids are None where they are not."""

    cap_inheritable: int
    cap_bounding: int
    cap_ambient: int
    no_new_privs: bool
    uid: int | None = None
    gid: int | None = None


def decide(before: Decision, file: Unknown, sources: Sources) -> Decision:
    """The ids and capability sets after execve(2); `before` are the Decisions of identity, capabilities, seccomp."""
    known = before.fold(_Before)
    reach = known.cap_inheritable | known.cap_bounding | known.cap_ambient
    within = "the entry file decides" if reach else "nothing is in the bounding, inheritable and ambient sets"
    ambient = "emptied if the entry file has capabilities" if known.cap_ambient else "the ambient set is empty"
    return merge(
        _ids("uid", known.uid, known, file, sources),
        _ids("gid", known.gid, known, file, sources),
        _kept("inheritable", known.cap_inheritable, sources),
        assign(path("cap_permitted"), file if reach else 0, within, EXECVE),
        assign(path("cap_effective"), file if reach else 0, within, EXECVE),
        _kept("bounding", known.cap_bounding, sources),
        assign(path("cap_ambient"), file if known.cap_ambient else 0, ambient, EXECVE),
    )


def _ids(name: str, real: int | None, before: _Before, file: Unknown, sources: Sources) -> Decision:
    field = ("process", "user", name)
    if real is None:
        return assign(
            path(name), sources.unknown(*field) or file, f"process.user.{name} is not known", sources.of(*field)
        )
    if before.no_new_privs:
        return assign(path(name), (real,) * 4, f"process.user.{name}", sources.of(*field))
    return assign(path(name), file, f"process.user.{name} {real}, unless the entry file is set-{name}", EXECVE)


def _kept(name: str, value: int, sources: Sources) -> Decision:
    return assign(path(f"cap_{name}"), value, "kept by execve", sources.of("process", "capabilities", name))
