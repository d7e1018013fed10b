"""The uid and gid of the process in the spec, looked up in the image's /etc/passwd and /etc/group.

Specification, in our words. The kubelet sends a uid or a user name, and a gid only if runAsGroup is set; it never sends
the group of an image's `USER uid:gid`.
- All three runtimes refuse a group without a user. A CRI user name takes precedence over a CRI uid. Without either, the
  image's `User` is used, with its group.
- containerd (2.2 `internal/cri/util.GenerateUserString`, `pkg/oci.WithUser`): a uid alone gets its gid from the first
  line of /etc/passwd with that uid, else 0. A user name must be in /etc/passwd. `uid:gid` is used unchanged. A group
  name must be in /etc/group. Ids go up to 2147483647. Without any user, uid and gid are 0.
- CRI-O (1.33 `setupContainerUser`) and Docker (29 `getUser`, cri-dockerd `modifyContainerConfig`) use moby/sys/user
  `GetExecUser`: the same, but an empty user is root with the gid of /etc/passwd. CRI-O replaces the gid by runAsGroup
  afterwards; Docker looks up `user:group`.
- Without the image's files only a uid and a gid that the CRI names are known, and what is assumed of the image's
  user.
- CRI-O also adds a line for an unknown uid or gid to the container's /etc/passwd and /etc/group; that is left out
  here.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.gotext import quote
from podward.api.image import ASSUMED, Image, PasswdEntry, UnknownImage
from podward.decision import Decision, Origin, Source, Unknown, assign, refuse
from podward.errors import RefusedError
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

UID = path("process", "user", "uid")
GID = path("process", "user", "gid")
HIGHEST = (1 << 31) - 1
HIGHEST_ID = (1 << 32) - 2
"""The largest valid id: the next one means "do not change the id" to setresuid(2)."""
INT64 = 1 << 63


class ResolvedId(Struct, frozen=True, gc=False):
    """A uid or gid, or why it is unknown, the reason for it, and its source."""

    value: int | Unknown
    reason: str
    source: Source


class ResolvedUser(Struct, frozen=True, gc=False):
    """The uid and gid of the process.

    `name` is the user name that /etc/passwd has for the uid, "" if none or if the image is unknown. `named_user` and
    `named_group` are whether the runtime's user string named a user and a group.
    """

    uid: ResolvedId
    gid: ResolvedId
    name: str = ""
    named_group: bool = False
    named_user: bool = True


class _UserString(Struct, frozen=True, gc=False):
    """A runtime's user string (`user` or `user:group`) and the sources of its two parts.

    `group` is the gid that CRI-O sets after the lookup.
    """

    text: str
    user_source: Source
    group_source: Source
    group: int | None = None


def image_file(image: Image, name: str, line: int) -> Source:
    """The source that names a line of a file in the image."""
    return Source(Origin.IMAGE, f"{image.name} {name}", line=line)


def resolve(
    context: LinuxContainerSecurityContext, image: Image | UnknownImage, runtime: RuntimeProfile
) -> ResolvedUser | Decision:
    """The uid and gid of the process, or the Decision that refuses the user."""
    if isinstance(image, UnknownImage):
        return _without_image(context, image, runtime)
    try:
        return _RUNTIMES[runtime.name](_user_string(context, image, runtime), image, runtime)
    except RefusedError as refused:
        requested = context.run_as_username or context.run_as_user
        value = image.config.user if requested is None else requested
        return refuse(path("process", "user"), value, str(refused), runtime.source)


def _without_image(
    context: LinuxContainerSecurityContext, image: UnknownImage, runtime: RuntimeProfile
) -> ResolvedUser:
    """The uid and gid that the CRI names; without a uid the kubelet sends the image's user, which is unknown."""
    user = Source(Origin.IMAGE, image.name, path("config", "User"))
    group = Source(Origin.IMAGE, f"{image.name} /etc/passwd")
    uid = ResolvedId(image.unknown, "the image's user", user)
    gid = ResolvedId(image.unknown, "the user's group in the image's /etc/passwd", group)
    if context.run_as_user is not None:
        of_pod = runtime.source_of("linux", "securityContext", "runAsUser")
        uid = ResolvedId(context.run_as_user, "the uid that was asked for", of_pod)
    if context.run_as_group is not None:
        of_pod = runtime.source_of("linux", "securityContext", "runAsGroup")
        gid = ResolvedId(context.run_as_group, "the group that was asked for", of_pod)
    elif image.assumed is not None and image.assumed.gid is not None and image.assumed.user == str(uid.value):
        gid = ResolvedId(image.assumed.gid, "assumed of the image's /etc/passwd", Source(Origin.IMAGE, ASSUMED))
    named_group = context.run_as_group is not None and runtime.name != "cri-o"
    return ResolvedUser(uid, gid, named_group=named_group)


def decide(user: ResolvedUser) -> Decision:
    """`process.user.uid` and `gid`; a violation for an id that the kernel refuses (/etc/passwd may have any number)."""
    decision = Decision()
    for place, resolved, name in ((UID, user.uid, "uid"), (GID, user.gid, "gid")):
        if not isinstance(resolved.value, Unknown) and not 0 <= resolved.value <= HIGHEST_ID:
            sentence = f"{name} {resolved.value} is out of range: 0-{HIGHEST_ID}"
            decision += refuse(place, resolved.value, sentence, resolved.source)
            continue
        decision += assign(place, resolved.value, resolved.reason, resolved.source)
    return decision


def _user_string(context: LinuxContainerSecurityContext, image: Image, runtime: RuntimeProfile) -> _UserString:
    if context.run_as_username:
        user, source = context.run_as_username, runtime.source_of("linux", "securityContext", "runAsUsername")
    elif context.run_as_user is not None:
        user, source = str(context.run_as_user), runtime.source_of("linux", "securityContext", "runAsUser")
    elif context.run_as_group is not None:
        raise RefusedError(_GROUP_ALONE[runtime.name].format(group=quote(str(context.run_as_group))))
    else:
        config = Source(Origin.IMAGE, image.name, path("config", "User"))
        return _UserString(image.config.user, config, config)
    group_source = runtime.source_of("linux", "securityContext", "runAsGroup")
    if context.run_as_group is None or runtime.name == "cri-o":
        return _UserString(user, source, group_source, context.run_as_group)
    return _UserString(f"{user}:{context.run_as_group}", source, group_source)


_GROUP_ALONE = {
    "containerd": "user group {group} is specified without user",
    "cri-o": "user group is specified without user or username",
    "docker": "runAsGroup is specified without a runAsUser",
}


def _as_containerd(string: _UserString, image: Image, runtime: RuntimeProfile) -> ResolvedUser:
    if not string.text:
        root = ResolvedId(0, "no user is asked for anywhere", runtime.source)
        return ResolvedUser(root, root, _name(image, 0), named_user=False)
    user, colon, group = string.text.partition(":")
    if ":" in group:
        raise RefusedError(f"invalid USER value {string.text}")
    uid = _number(user, f"invalid USER value {quote(string.text)}: uid out of range")
    gid = _number(group, f"invalid USER value {quote(string.text)}: gid out of range")
    # `:group` names no user and means root. An empty text has returned above.
    nameless = colon and not user
    entry = None if nameless else _entry(image, user, uid)
    if entry is None and uid is None and not nameless:
        raise RefusedError("no users found")
    resolved = _of_entry(entry, uid, string, image, runtime)
    if not colon:
        return resolved
    if gid is None and group:
        return _with_group(resolved, _group(image, group, "no groups found"), string)
    return _with_group(resolved, gid or 0, string)


def _as_exec_user(string: _UserString, image: Image, runtime: RuntimeProfile) -> ResolvedUser:
    """moby/sys/user `GetExecUser`."""
    user, _, group = string.text.partition(":")
    uid = _number(user, _RANGE) if user else 0
    gid = _number(group, _RANGE)
    entry = _entry(image, user, uid)
    if entry is None and uid is None:
        raise RefusedError(f"unable to find user {user}: no matching entries in passwd file")
    resolved = _of_entry(entry, uid, string, image, runtime)
    if not group:
        return resolved
    missing = f"unable to find group {group}: no matching entries in group file"
    return _with_group(resolved, _group(image, group, missing) if gid is None else gid, string)


def _as_crio(string: _UserString, image: Image, runtime: RuntimeProfile) -> ResolvedUser:
    resolved = _as_exec_user(string, image, runtime)
    if string.group is None:
        return resolved
    gid = ResolvedId(string.group, "the group that was asked for", string.group_source)
    return ResolvedUser(resolved.uid, gid, resolved.name, resolved.named_group)


_RUNTIMES = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_exec_user}
_RANGE = f"uids and gids must be in range 0-{HIGHEST}"


def _of_entry(
    entry: PasswdEntry | None, uid: int | None, string: _UserString, image: Image, runtime: RuntimeProfile
) -> ResolvedUser:
    """The user of a line of /etc/passwd; without a line, a uid with group 0."""
    dropped = _dropped_group(string, image)
    if entry is None:
        unknown = ResolvedId(0, f"the uid is not in the image's /etc/passwd: group 0{dropped}", runtime.source)
        return ResolvedUser(ResolvedId(uid or 0, "the uid that was asked for", string.user_source), unknown)
    line = image_file(image, "/etc/passwd", entry.line)
    by_uid = ResolvedId(entry.uid, "the uid that was asked for", string.user_source)
    group = ResolvedId(entry.gid, f"the group of {entry.name} in the image's /etc/passwd{dropped}", line)
    return ResolvedUser(
        by_uid if uid is not None else ResolvedId(entry.uid, f"the uid of {entry.name}", line), group, entry.name
    )


def _dropped_group(string: _UserString, image: Image) -> str:
    """A word about the group of the image's USER, where the kubelet sends the user alone."""
    user, _, group = image.config.user.partition(":")
    if not group or user != string.text:
        return ""
    return f"; the kubelet does not send the group of the image's USER {image.config.user} (runAsGroup sets one)"


def _with_group(user: ResolvedUser, gid: int, string: _UserString) -> ResolvedUser:
    group = ResolvedId(gid, "the group that was asked for", string.group_source)
    return ResolvedUser(user.uid, group, user.name, named_group=True)


def _entry(image: Image, name: str, uid: int | None) -> PasswdEntry | None:
    """The first line of /etc/passwd with this uid; with this name if `uid` is None."""
    for entry in image.passwd:
        if entry.uid == uid if uid is not None else entry.name == name:
            return entry
    return None


def _name(image: Image, uid: int) -> str:
    entry = _entry(image, "", uid)
    return entry.name if entry is not None else ""


def _group(image: Image, name: str, missing: str) -> int:
    for entry in image.group:
        if entry.name == name:
            return entry.gid
    raise RefusedError(missing)


def _number(part: str, sentence: str) -> int | None:
    """The number that Go's `strconv.Atoi` reads; None for a name. Raises RefusedError for an id above 31 bits."""
    digits = part[1:] if part[:1] in ("+", "-") else part
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits.lstrip("0")) > len(str(INT64)) or not 0 <= int(part) <= HIGHEST:
        raise RefusedError(sentence)
    return int(part)
