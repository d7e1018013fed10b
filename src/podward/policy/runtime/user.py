"""The uid and gid of the process, looked up in the image's /etc/passwd and /etc/group.

Specification, in our words; the kubelet sends a uid or a name, and a gid only if runAsGroup is set, so the group of
an image's `USER uid:gid` never gets here.
- All three refuse a group without a user. A CRI user name beats a CRI uid; without either the image's `User` counts,
  with its group.
- containerd (2.2 `internal/cri/util.GenerateUserString`, `pkg/oci.WithUser`): a uid alone takes its gid from the
  first line of /etc/passwd with that uid, else 0; a name must be in /etc/passwd; `uid:gid` is taken as it is; a
  group's name must be in /etc/group. Ids go up to 2147483647. Without any user, uid and gid are 0.
- CRI-O (1.33 `setupContainerUser`) and Docker (29 `getUser`, cri-dockerd `modifyContainerConfig`) use moby/sys/user
  `GetExecUser`: as above, but an empty user is root as /etc/passwd has it. CRI-O puts runAsGroup in place afterwards;
  Docker looks up `user:group`.
- Without the image's files only a uid and a gid that the CRI names are known.
- CRI-O also adds a line for an unknown uid or gid to the container's /etc/passwd and /etc/group; that is left out
  here.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.gotext import quote
from podward.api.image import Image, PasswdEntry, UnknownImage
from podward.decision import Decision, Origin, Source, Unknown, assign, refuse
from podward.errors import RefusedError
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

UID = path("process", "user", "uid")
GID = path("process", "user", "gid")
HIGHEST = (1 << 31) - 1
HIGHEST_ID = (1 << 32) - 2
"""The largest id that the kernel has: the next one means "leave as it is" to setuid(2)."""
INT64 = 1 << 63


class ResolvedId(Struct, frozen=True, gc=False):
    """An id that was found, or what hides it; why, and who decided."""

    value: int | Unknown
    reason: str
    source: Source


class Found(Struct, frozen=True, gc=False):
    """Who the process is.

    `login` is the name that /etc/passwd has for it, "" if none or if nobody can look. `grouped` is whether the
    runtime's user string named a group, `asked` whether it named a user at all.
    """

    uid: ResolvedId
    gid: ResolvedId
    login: str = ""
    grouped: bool = False
    asked: bool = True


class _Asked(Struct, frozen=True, gc=False):
    """A runtime's user string, who wrote its two parts, and the group that CRI-O puts in place afterwards."""

    text: str
    user_source: Source
    group_source: Source
    group: int | None = None


def image_file(image: Image, name: str, line: int) -> Source:
    """A line of a file of the image."""
    return Source(Origin.IMAGE, f"{image.name} {name}", line=line)


def find(
    context: LinuxContainerSecurityContext, image: Image | UnknownImage, runtime: RuntimeProfile
) -> Found | Decision:
    """Who the process is, or the Decision that refuses it."""
    if isinstance(image, UnknownImage):
        return _without_image(context, image, runtime)
    try:
        return _FINDERS[runtime.name](_asked(context, image, runtime), image, runtime)
    except RefusedError as refused:
        wanted = context.run_as_username or context.run_as_user
        value = image.config.user if wanted is None else wanted
        return refuse(path("process", "user"), value, str(refused), runtime.source)


def _without_image(context: LinuxContainerSecurityContext, image: UnknownImage, runtime: RuntimeProfile) -> Found:
    """What the CRI names; the kubelet asks for the image's user where it names none."""
    user = Source(Origin.IMAGE, image.name, path("config", "User"))
    group = Source(Origin.IMAGE, f"{image.name} /etc/passwd")
    uid = ResolvedId(image.unknown, "the image's user", user)
    gid = ResolvedId(image.unknown, "the user's group in the image's /etc/passwd", group)
    if context.run_as_user is not None:
        of_pod = runtime.of("securityContext", "runAsUser")
        uid = ResolvedId(context.run_as_user, "the uid that was asked for", of_pod)
    if context.run_as_group is not None:
        of_pod = runtime.of("securityContext", "runAsGroup")
        gid = ResolvedId(context.run_as_group, "the group that was asked for", of_pod)
    grouped = context.run_as_group is not None and runtime.name != "cri-o"
    return Found(uid, gid, grouped=grouped)


def decide(found: Found) -> Decision:
    """`process.user.uid` and `gid`; a violation for an id that the kernel has not (/etc/passwd may hold any)."""
    decision = Decision()
    for place, part, name in ((UID, found.uid, "uid"), (GID, found.gid, "gid")):
        if not isinstance(part.value, Unknown) and not 0 <= part.value <= HIGHEST_ID:
            sentence = f"{name} {part.value} is out of range: 0-{HIGHEST_ID}"
            decision += refuse(place, part.value, sentence, part.source)
            continue
        decision += assign(place, part.value, part.reason, part.source)
    return decision


def _asked(context: LinuxContainerSecurityContext, image: Image, runtime: RuntimeProfile) -> _Asked:
    if context.run_as_username:
        user, source = context.run_as_username, runtime.of("securityContext", "runAsUsername")
    elif context.run_as_user is not None:
        user, source = str(context.run_as_user), runtime.of("securityContext", "runAsUser")
    elif context.run_as_group is not None:
        raise RefusedError(_GROUP_ALONE[runtime.name].format(group=quote(str(context.run_as_group))))
    else:
        config = Source(Origin.IMAGE, image.name, path("config", "User"))
        return _Asked(image.config.user, config, config)
    group_source = runtime.of("securityContext", "runAsGroup")
    if context.run_as_group is None or runtime.name == "cri-o":
        return _Asked(user, source, group_source, context.run_as_group)
    return _Asked(f"{user}:{context.run_as_group}", source, group_source)


_GROUP_ALONE = {
    "containerd": "user group {group} is specified without user",
    "cri-o": "user group is specified without user or username",
    "docker": "runAsGroup is specified without a runAsUser",
}


def _as_containerd(asked: _Asked, image: Image, runtime: RuntimeProfile) -> Found:
    if not asked.text:
        nobody = ResolvedId(0, "no user is asked for anywhere", runtime.source)
        return Found(nobody, nobody, _login(image, 0), asked=False)
    user, colon, group = asked.text.partition(":")
    if ":" in group:
        raise RefusedError(f"invalid USER value {asked.text}")
    uid = _number(user, f"invalid USER value {quote(asked.text)}: uid out of range")
    gid = _number(group, f"invalid USER value {quote(asked.text)}: gid out of range")
    # `:group` has no user to look up, and is root's; a lone "" never gets here.
    nameless = colon and not user
    entry = None if nameless else _entry(image, user, uid)
    if entry is None and uid is None and not nameless:
        raise RefusedError("no users found")
    found = _of_entry(entry, uid, asked, image, runtime)
    if not colon:
        return found
    if gid is None and group:
        return _with_group(found, _group(image, group, "no groups found"), asked)
    return _with_group(found, gid or 0, asked)


def _as_exec_user(asked: _Asked, image: Image, runtime: RuntimeProfile) -> Found:
    """moby/sys/user `GetExecUser`."""
    user, _, group = asked.text.partition(":")
    uid = _number(user, _RANGE) if user else 0
    gid = _number(group, _RANGE)
    entry = _entry(image, user, uid)
    if entry is None and uid is None:
        raise RefusedError(f"unable to find user {user}: no matching entries in passwd file")
    found = _of_entry(entry, uid, asked, image, runtime)
    if not group:
        return found
    missing = f"unable to find group {group}: no matching entries in group file"
    return _with_group(found, _group(image, group, missing) if gid is None else gid, asked)


def _as_crio(asked: _Asked, image: Image, runtime: RuntimeProfile) -> Found:
    found = _as_exec_user(asked, image, runtime)
    if asked.group is None:
        return found
    part = ResolvedId(asked.group, "the group that was asked for", asked.group_source)
    return Found(found.uid, part, found.login, found.grouped)


_FINDERS = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_exec_user}
_RANGE = f"uids and gids must be in range 0-{HIGHEST}"


def _of_entry(
    entry: PasswdEntry | None, uid: int | None, asked: _Asked, image: Image, runtime: RuntimeProfile
) -> Found:
    """A user that stands in /etc/passwd, or a uid that does not."""
    if entry is None:
        unknown = ResolvedId(0, "the uid is not in the image's /etc/passwd: group 0", runtime.source)
        return Found(ResolvedId(uid or 0, "the uid that was asked for", asked.user_source), unknown)
    line = image_file(image, "/etc/passwd", entry.line)
    by_uid = ResolvedId(entry.uid, "the uid that was asked for", asked.user_source)
    group = ResolvedId(entry.gid, f"the group of {entry.name} in the image's /etc/passwd", line)
    return Found(
        by_uid if uid is not None else ResolvedId(entry.uid, f"the uid of {entry.name}", line), group, entry.name
    )


def _with_group(found: Found, gid: int, asked: _Asked) -> Found:
    return Found(
        found.uid, ResolvedId(gid, "the group that was asked for", asked.group_source), found.login, grouped=True
    )


def _entry(image: Image, name: str, uid: int | None) -> PasswdEntry | None:
    """The first line of this uid or, without one, of this name."""
    for entry in image.passwd:
        if entry.uid == uid if uid is not None else entry.name == name:
            return entry
    return None


def _login(image: Image, uid: int) -> str:
    entry = _entry(image, "", uid)
    return entry.name if entry is not None else ""


def _group(image: Image, name: str, missing: str) -> int:
    for entry in image.group:
        if entry.name == name:
            return entry.gid
    raise RefusedError(missing)


def _number(part: str, sentence: str) -> int | None:
    """The id that Go's `strconv.Atoi` reads, None for a name. Raises RefusedError for one beyond 31 bits."""
    digits = part[1:] if part[:1] in ("+", "-") else part
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits.lstrip("0")) > len(str(INT64)) or not 0 <= int(part) <= HIGHEST:
        raise RefusedError(sentence)
    return int(part)
