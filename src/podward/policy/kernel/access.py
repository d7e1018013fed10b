"""Whether a process may read, write, execute or search the file at a path, and which rule denies it.

Specification (path_resolution(7), access(2), open(2), execve(2), capabilities(7), user_namespaces(7), mount(2);
Linux 6.18 `inode_permission`, `generic_permission`, `may_open`, `faccessat2`), in our words:
- The process needs search permission (x) for every directory of the path, from the root to the last but one. Only a
  process that may search the directory learns that a file is missing (ENOENT).
- The ids, the mode and the access control list decide first (`podward.policy.kernel.acl`). Where they deny access,
  capabilities may allow it: CAP_DAC_READ_SEARCH allows reading files, and reading and searching directories;
  CAP_DAC_OVERRIDE allows everything except executing a file that has no execute bit. Both count only for a file whose
  owner and group are mapped in the process's user namespace. No other capability matters, not even CAP_FOWNER.
- The kernel checks for a read-only file system before the ids, and for a read-only mount after them; both give EROFS.
  Neither keeps a process from writing to device files, FIFOs and sockets.
- The device list of the container refuses devices after the ids and capabilities have let the process through (EPERM);
  which ones, `podward.policy.kernel.devices` says. No capability helps.
- noexec refuses executing regular files (EACCES), not searching directories. nodev refuses opening devices (EACCES).
- Nobody can write to a file whose owner or group the id-mapped mount does not map (EACCES).
- execve takes regular files only (EACCES).
- Creating, renaming and removing in a directory takes w and x. The kernel looks up the name first (x), then checks for
  a read-only mount and file system, then checks the ids for w.

Not considered: immutable and append-only attributes (chattr(1)), security modules, seccomp, and file
systems with their own rules (NFS with root_squash, FUSE). The sticky bit limits removing and renaming other users'
files in a directory, not opening them.
"""

from __future__ import annotations

from posixpath import dirname

from msgspec import Struct

from podward.api.capability import BITS, CAP_DAC_OVERRIDE
from podward.api.filesystem import REGULAR, TYPE_MASK, UNMAPPED, Denial, FileAccessFacts, Grant, mask, mode_text
from podward.api.node import IdMap
from podward.api.process import ProcessState
from podward.decision import Decision, Source, assign, refuse
from podward.path import Key, Path, path
from podward.policy.kernel import acl
from podward.policy.kernel.devices import LIST
from podward.policy.kernel.sources import rule
from podward.policy.kernel.user_namespace import UserNamespace, is_identity

PATHS, LISTS, CAPABILITIES, MOUNTS = (
    rule("path_resolution(7)"),
    rule("acl(5)"),
    rule("capabilities(7)"),
    rule("mount(2)"),
)
PROGRAMS, NAMESPACES = rule("execve(2)"), rule("user_namespaces(7)")
CAP_DAC_READ_SEARCH = BITS["CAP_DAC_READ_SEARCH"]
READ, WRITE, EXECUTE = 4, 2, 1
ANY_EXECUTE = 0o111
WORDS = {4: "read", 2: "write", 1: "execute", 6: "read and write"}
IN_DIRECTORY = {1: "search", 3: "write"}
_READ_ONLY_MOUNT = "the mount that it is on is read-only"
_NOT_IN_LIST = "the device is not in the container's device list, and no capability opens it"
MISSING = {
    "ENOENT": "does not exist (ENOENT, No such file or directory)",
    "ENOTDIR": "is below something that is no directory (ENOTDIR, Not a directory)",
    "ELOOP": "leads through too many symbolic links (ELOOP)",
}


class _AccessResult(Struct, frozen=True, gc=False):
    """Access is allowed by `rule`, or denied by `rule` with `errno`; `phrase` explains it to people."""

    rule: str
    phrase: str
    source: Source
    errno: str = ""


def decide(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> Decision:
    """Whether the process has all permissions in `wanted` for the last file of `chain`.

    `chain` lists the files of the path walk in order: every directory in which a name is looked up (the root first),
    then the file itself. `wanted` consists of `r`, `w` and `x`. The assignments `grants` hold one entry for each
    component and use. The first violation says which component denies access; its value is a `Denial`. Raises
    ValueError if `chain` or `wanted` is empty.
    """
    if not chain or not wanted:
        raise ValueError("an access check needs a path and something to do with it")
    decision, count = Decision(), 0
    for step, directory in enumerate(chain[:-1]):
        result = _check_component(process, directory, EXECUTE)
        if result.errno:
            return decision + _denied(process, chain, step, EXECUTE, result)
        decision += _granted(count, directory, EXECUTE, result)
        count += 1
    last = len(chain) - 1
    if chain[last].error:
        return decision + _missing_file(process, chain, mask(wanted))
    for bits in uses(chain[last], wanted):
        result = _check_use(process, chain[last], bits)
        if result.errno:
            decision += _denied(process, chain, last, bits, result)
        else:
            decision += _granted(count, chain[last], bits, result)
            count += 1
    return decision


def can(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> bool:
    """Whether `decide` refuses nothing."""
    return not decide(process, chain, wanted).refused


def uses(file: FileAccessFacts, wanted: str) -> tuple[int, ...]:
    """The permission bits that the kernel checks, one set for each operation.

    Reading and writing a file are one operation, executing it is another. In a directory there are three: listing,
    changing (which takes x as well) and searching.
    """
    bits = mask(wanted)
    if not file.directory:
        return tuple(part for part in (bits & (READ | WRITE), bits & EXECUTE) if part)
    listed = (bits & READ, WRITE | EXECUTE if bits & WRITE else 0, 0 if bits & WRITE else bits & EXECUTE)
    return tuple(part for part in listed if part)


def permission(process: ProcessState, chain: tuple[FileAccessFacts, ...], bits: int) -> str:
    """The name of the errno that faccessat2(AT_EACCESS) returns for these bits together; empty for success."""
    for directory in chain[:-1]:
        result = _check_component(process, directory, EXECUTE)
        if result.errno:
            return result.errno
    return chain[-1].error or _check_component(process, chain[-1], bits).errno


def _check_use(process: ProcessState, file: FileAccessFacts, bits: int) -> _AccessResult:
    """Check one operation: as `_check_component`, but a change in a directory looks up the name first."""
    read_only = file.mount.readonly or file.mount.filesystem_readonly
    if not (file.directory and bits & WRITE and read_only):
        return _check_component(process, file, bits)
    searched = _check_component(process, file, EXECUTE)
    if searched.errno:
        return searched
    return _AccessResult("read-only mount", _READ_ONLY_MOUNT, MOUNTS, "EROFS")


def _check_component(process: ProcessState, file: FileAccessFacts, bits: int) -> _AccessResult:
    """Check one file of the path, in the kernel's order."""
    if file.error:
        return _AccessResult("path", MISSING.get(file.error, f"can't be reached ({file.error})"), PATHS, file.error)
    refused = _refused_for_everyone(file, bits)
    if refused is not None:
        return refused
    verdict = acl.decide(process, file, bits)
    source = LISTS if file.acl else PATHS
    result = _AccessResult(verdict.rule, verdict.phrase, source, "" if verdict.allowed else "EACCES")
    if result.errno:
        result = _check_capabilities(process, file, bits) or result
    if not result.errno and bits & mask(file.closed):
        return _AccessResult("device list", _NOT_IN_LIST, LIST, "EPERM")
    if not result.errno and bits & WRITE and file.mount.readonly and not file.special:
        return _AccessResult("read-only mount", _READ_ONLY_MOUNT, MOUNTS, "EROFS")
    return result


def _refused_for_everyone(file: FileAccessFacts, bits: int) -> _AccessResult | None:
    """A refusal that does not depend on the process's ids and capabilities; None if there is none."""
    flags = file.mount
    if bits & EXECUTE and not file.directory:
        if file.mode & TYPE_MASK != REGULAR:
            return _AccessResult("not regular", "it is not a regular file", PROGRAMS, "EACCES")
        if flags.noexec:
            return _AccessResult("noexec mount", "the mount that it is on has noexec", MOUNTS, "EACCES")
    if bits & (READ | WRITE) and flags.nodev and file.device:
        return _AccessResult("nodev mount", "the mount that it is on has nodev", MOUNTS, "EACCES")
    if bits & WRITE and flags.filesystem_readonly and not file.special:
        return _AccessResult("read-only mount", "its file system is read-only", MOUNTS, "EROFS")
    if bits & WRITE and UNMAPPED in (file.uid, file.gid):
        reason = "its owner or group has no id in the Pod's user namespace, so nobody there may write to it"
        return _AccessResult("unmapped ids", reason, NAMESPACES, "EACCES")
    return None


def _check_capabilities(process: ProcessState, file: FileAccessFacts, bits: int) -> _AccessResult | None:
    """Whether a capability allows what ids and mode deny.

    A denial if the capability does not count for this file; None if the process has no capability that helps.
    """
    useful = 0
    if bits == READ or (file.directory and not bits & WRITE):
        useful |= CAP_DAC_READ_SEARCH
    if file.directory or not bits & EXECUTE or file.mode & ANY_EXECUTE:
        useful |= CAP_DAC_OVERRIDE
    usable = useful & process.cap_effective
    if not usable:
        return None
    name = "CAP_DAC_READ_SEARCH" if usable & CAP_DAC_READ_SEARCH else "CAP_DAC_OVERRIDE"
    userns = UserNamespace(process.uid_map, process.gid_map)
    if userns.maps_uid(file.uid) and userns.maps_gid(file.gid):
        return _AccessResult(name, f"{name} is in the effective set", CAPABILITIES)
    denial = acl.decide(process, file, bits)
    phrase = (
        f"{denial.phrase}; {name} does not count for a file whose owner or group is not mapped in its user namespace"
    )
    return _AccessResult(denial.rule, phrase, NAMESPACES, "EACCES")


def _granted(count: int, file: FileAccessFacts, bits: int, result: _AccessResult) -> Decision:
    grant = Grant(file.path, _letters(bits), result.rule)
    return assign(path("grants", count), grant, f"{_action(file, bits)}: {result.phrase}", result.source)


def _denied(
    process: ProcessState, chain: tuple[FileAccessFacts, ...], step: int, bits: int, result: _AccessResult
) -> Decision:
    file = chain[step]
    subject = f"{file.path}: {_action(file, bits)} denied"
    own = result.rule in acl.RULES
    if own:
        sentence = f"{subject}: mode {describe(process, file)} {result.phrase}; {who(process)} ({result.errno})"
    else:
        sentence = f"{subject}: {result.phrase} ({result.errno})"
    if own and file.directory and bits == WRITE | EXECUTE and acl.decide(process, file, WRITE).allowed:
        sentence += "; changing what is in a directory takes x besides w"
    if step < len(chain) - 1:
        sentence += f"; so nothing below it can be reached, {chain[-1].path} neither"
    denial = Denial(result.errno, file.path, _letters(bits), result.rule, step)
    return refuse(place(file), denial, sentence, result.source)


def _missing_file(process: ProcessState, chain: tuple[FileAccessFacts, ...], bits: int) -> Decision:
    """The refusal for a file that does not exist; it says whether the process may create the file."""
    missing = chain[-1]
    sentence = f"{missing.path} {MISSING.get(missing.error, f'cannot be reached ({missing.error})')}"
    parent = next((facts for facts in chain[:-1] if facts.path == dirname(missing.path)), None)
    if bits & WRITE and missing.error == "ENOENT" and parent is not None:
        result = _check_use(process, parent, WRITE | EXECUTE)
        if result.errno:
            sentence += (
                f"; nor may the process create it: {parent.path} is {describe(process, parent)}, {result.phrase}"
            )
        else:
            sentence += f"; the process may create it: {parent.path} {result.phrase}"
    denial = Denial(missing.error, missing.path, _letters(bits), "path", len(chain) - 1)
    return refuse(place(missing), denial, sentence, PATHS)


def place(file: FileAccessFacts) -> Path:
    """The path of a violation about this file: `access[/data]`."""
    return path("access", Key(file.path))


def describe(process: ProcessState, file: FileAccessFacts) -> str:
    """The file's mode and owner as ls(1) shows them in the container: `drwxr-xr-x root:root`."""
    owner, group = inside(process.uid_map, file.uid), inside(process.gid_map, file.gid)
    return f"{mode_text(file)} {_root_by_name(owner)}:{_root_by_name(group)}"


def who(process: ProcessState) -> str:
    """A clause that names the process's uid and groups, with the ids that are valid inside its user namespace."""
    uid = inside(process.uid_map, process.uid[acl.FILE_SYSTEM])
    groups = dict.fromkeys((process.gid[acl.FILE_SYSTEM], *process.groups))
    listed = " ".join(inside(process.gid_map, gid) for gid in groups)
    host = "" if is_identity(process.uid_map) else f" (host uid {process.uid[acl.FILE_SYSTEM]})"
    return f"the process is uid {uid}{host}, groups {listed}"


def inside(id_map: IdMap, host: int) -> str:
    """The id inside the user namespace, as text; `host-ID` for a host id that is not mapped."""
    for first, outside, length in id_map:
        if outside <= host < outside + length:
            return str(first + host - outside)
    return "unmapped" if host == UNMAPPED else f"host-{host}"


def _root_by_name(number: str) -> str:
    return "root" if number == "0" else number


def _action(file: FileAccessFacts, bits: int) -> str:
    words = IN_DIRECTORY if file.directory else WORDS
    return words.get(bits) or WORDS.get(bits, "access")


def _letters(bits: int) -> str:
    return "".join(letter for letter, bit in (("r", READ), ("w", WRITE), ("x", EXECUTE)) if bits & bit)
