"""Whether a process may read, write, execute or search what a path leads to, and which rule says no.

Specification (path_resolution(7), access(2), open(2), execve(2), capabilities(7), user_namespaces(7), mount(2);
Linux 6.18 `inode_permission`, `generic_permission`, `may_open`, `faccessat2`), in our words:
- Every directory of the path must be searchable (x), from the root to the last but one; what is missing is missing
  (ENOENT) only for who may look.
- Ids, mode and access control list decide first (`podward.policy.kernel.acl`). Where they deny, capabilities may allow:
  CAP_DAC_READ_SEARCH lets read a file, and read and search a directory; CAP_DAC_OVERRIDE lets do everything but execute
  a file none of whose execute bits is set. They count only for a file whose owner and group both have an id in the
  process's user namespace. No other capability matters (CAP_FOWNER does not).
- Read-only: a file system is asked before the ids are, a mount after; both say EROFS. Device files, FIFOs and sockets
  may be written to all the same.
- noexec (EACCES) for executing regular files, not for searching directories; nodev (EACCES) for opening devices.
- A file whose owner or group the id-mapped mount does not map can't be written by anybody (EACCES).
- execve takes regular files only (EACCES).
- To write in a directory, that is to create, rename and remove in it, takes w and x. There the name is looked up first
  (x), then the mount and the file system are asked whether they are read-only, then the ids whether they may write.

Not looked at: immutable and append-only marks (chattr(1)), the device cgroup, security modules, seccomp, and file
systems with rules of their own (NFS with root_squash, FUSE). The sticky bit limits removing and renaming others' files
in the directory, not opening them.
"""

from __future__ import annotations

from posixpath import dirname

from msgspec import Struct

from podward.api.capability import BITS, CAP_DAC_OVERRIDE
from podward.api.filesystem import REGULAR, TYPE_MASK, UNMAPPED, Denial, FileAccessFacts, Grant, mask, mode_text
from podward.api.process import ProcessState
from podward.decision import Decision, Source, assign, refuse
from podward.path import Key, Path, path
from podward.policy.kernel import acl
from podward.policy.kernel.sources import rule
from podward.policy.kernel.user_namespace import IDENTITY, Lines, UserNamespace

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
_FROZEN = "the mount that it is on is read-only"
MISSING = {
    "ENOENT": "does not exist (ENOENT, No such file or directory)",
    "ENOTDIR": "is below something that is no directory (ENOTDIR, Not a directory)",
    "ELOOP": "leads through too many symbolic links (ELOOP)",
}


class _Answer(Struct, frozen=True, gc=False):
    """Allowed by `rule`, or denied with `errno` by `rule`; `phrase` is what a person needs."""

    rule: str
    phrase: str
    source: Source
    errno: str = ""


def decide(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> Decision:
    """Whether the process may do all that `wanted` says with the last of `chain`; the others are on the way to it.

    `chain` is in the order of the walk: every directory in which a name is looked up (the root first), then what was
    found. `wanted` is made of `r`, `w` and `x`. Assignments: `grants`, one for each component and use. The first
    violation says which component refuses; its value is a `Denial`. Raises ValueError for an empty chain or wish.
    """
    if not chain or not wanted:
        raise ValueError("an access check needs a path and something to do with it")
    decision, count = Decision(), 0
    for step, directory in enumerate(chain[:-1]):
        answer = _component(process, directory, EXECUTE)
        if answer.errno:
            return decision + _denied(process, chain, step, EXECUTE, answer)
        decision += _granted(count, directory, EXECUTE, answer)
        count += 1
    last = len(chain) - 1
    if chain[last].error:
        return decision + _nowhere(process, chain, mask(wanted))
    for asked in uses(chain[last], wanted):
        answer = _use(process, chain[last], asked)
        if answer.errno:
            decision += _denied(process, chain, last, asked, answer)
        else:
            decision += _granted(count, chain[last], asked, answer)
            count += 1
    return decision


def can(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> bool:
    """Whether `decide` has nothing against it."""
    return not decide(process, chain, wanted).refused


def uses(file: FileAccessFacts, wanted: str) -> tuple[int, ...]:
    """The bits that the kernel will be asked for, one set for each thing that is done.

    A file is opened to read and write at once; executing it is another matter. In a directory listing, changing (which
    takes x too) and searching are three.
    """
    bits = mask(wanted)
    if not file.directory:
        return tuple(part for part in (bits & (READ | WRITE), bits & EXECUTE) if part)
    listed = (bits & READ, WRITE | EXECUTE if bits & WRITE else 0, 0 if bits & WRITE else bits & EXECUTE)
    return tuple(part for part in listed if part)


def permission(process: ProcessState, chain: tuple[FileAccessFacts, ...], asked: int) -> str:
    """The errno's name with which faccessat2(AT_EACCESS) answers for these bits, all at once; empty for success."""
    for directory in chain[:-1]:
        answer = _component(process, directory, EXECUTE)
        if answer.errno:
            return answer.errno
    return chain[-1].error or _component(process, chain[-1], asked).errno


def _use(process: ProcessState, file: FileAccessFacts, asked: int) -> _Answer:
    """As `_component`, but for changing what is in a directory: the name is looked up before anything else."""
    frozen = file.mount.readonly or file.mount.filesystem_readonly
    if not (file.directory and asked & WRITE and frozen):
        return _component(process, file, asked)
    searched = _component(process, file, EXECUTE)
    if searched.errno:
        return searched
    return _Answer("read-only mount", _FROZEN, MOUNTS, "EROFS")


def _component(process: ProcessState, file: FileAccessFacts, asked: int) -> _Answer:
    """What the kernel says about one component, in the kernel's order."""
    if file.error:
        return _Answer("path", MISSING.get(file.error, f"can't be reached ({file.error})"), PATHS, file.error)
    forbidden = _before_ids(file, asked)
    if forbidden is not None:
        return forbidden
    verdict = acl.decide(process, file, asked)
    source = LISTS if file.acl else PATHS
    answer = _Answer(verdict.rule, verdict.phrase, source, "" if verdict.allowed else "EACCES")
    if answer.errno:
        answer = _capable(process, file, asked) or answer
    if not answer.errno and asked & WRITE and file.mount.readonly and not file.special:
        return _Answer("read-only mount", _FROZEN, MOUNTS, "EROFS")
    return answer


def _before_ids(file: FileAccessFacts, asked: int) -> _Answer | None:
    """What is refused whoever asks."""
    flags = file.mount
    if asked & EXECUTE and not file.directory:
        if file.mode & TYPE_MASK != REGULAR:
            return _Answer("not regular", "it is not a regular file", PROGRAMS, "EACCES")
        if flags.noexec:
            return _Answer("noexec mount", "the mount that it is on has noexec", MOUNTS, "EACCES")
    if asked & (READ | WRITE) and flags.nodev and file.device:
        return _Answer("nodev mount", "the mount that it is on has nodev", MOUNTS, "EACCES")
    if asked & WRITE and flags.filesystem_readonly and not file.special:
        return _Answer("read-only mount", "its file system is read-only", MOUNTS, "EROFS")
    if asked & WRITE and UNMAPPED in (file.uid, file.gid):
        reason = "its owner or group has no id in the Pod's user namespace, so nobody there may write to it"
        return _Answer("unmapped ids", reason, NAMESPACES, "EACCES")
    return None


def _capable(process: ProcessState, file: FileAccessFacts, asked: int) -> _Answer | None:
    """The capability that allows what ids and bits deny; a denial where it does not count; None without any."""
    useful = 0
    if asked == READ or (file.directory and not asked & WRITE):
        useful |= CAP_DAC_READ_SEARCH
    if file.directory or not asked & EXECUTE or file.mode & ANY_EXECUTE:
        useful |= CAP_DAC_OVERRIDE
    held = useful & process.cap_effective
    if not held:
        return None
    name = "CAP_DAC_READ_SEARCH" if held & CAP_DAC_READ_SEARCH else "CAP_DAC_OVERRIDE"
    userns = UserNamespace(process.uid_map, process.gid_map)
    if userns.holds_uid(file.uid) and userns.holds_gid(file.gid):
        return _Answer(name, f"{name} is in the effective set", CAPABILITIES)
    why = acl.decide(process, file, asked)
    phrase = f"{why.phrase}; {name} does not count for a file whose owner or group is not mapped in its user namespace"
    return _Answer(why.rule, phrase, NAMESPACES, "EACCES")


def _granted(count: int, file: FileAccessFacts, asked: int, answer: _Answer) -> Decision:
    grant = Grant(file.path, _letters(asked), answer.rule)
    return assign(path("grants", count), grant, f"{_doing(file, asked)}: {answer.phrase}", answer.source)


def _denied(
    process: ProcessState, chain: tuple[FileAccessFacts, ...], step: int, asked: int, answer: _Answer
) -> Decision:
    file = chain[step]
    subject = f"{file.path}: {_doing(file, asked)} denied"
    own = answer.rule in acl.RULES
    if own:
        sentence = f"{subject}: mode {describe(process, file)} {answer.phrase}; {who(process)} ({answer.errno})"
    else:
        sentence = f"{subject}: {answer.phrase} ({answer.errno})"
    if own and file.directory and asked == WRITE | EXECUTE and acl.decide(process, file, WRITE).allowed:
        sentence += "; changing what is in a directory takes x besides w"
    if step < len(chain) - 1:
        sentence += f"; so nothing below it can be reached, {chain[-1].path} neither"
    denial = Denial(answer.errno, file.path, _letters(asked), answer.rule, step)
    return refuse(place(file), denial, sentence, answer.source)


def _nowhere(process: ProcessState, chain: tuple[FileAccessFacts, ...], asked: int) -> Decision:
    """What does not exist; whether the process may make it."""
    missing = chain[-1]
    sentence = f"{missing.path} {MISSING.get(missing.error, f'cannot be reached ({missing.error})')}"
    parent = next((facts for facts in chain[:-1] if facts.path == dirname(missing.path)), None)
    if asked & WRITE and missing.error == "ENOENT" and parent is not None:
        answer = _use(process, parent, WRITE | EXECUTE)
        if answer.errno:
            sentence += (
                f"; nor may the process create it: {parent.path} is {describe(process, parent)}, {answer.phrase}"
            )
        else:
            sentence += f"; the process may create it: {parent.path} {answer.phrase}"
    denial = Denial(missing.error, missing.path, _letters(asked), "path", len(chain) - 1)
    return refuse(place(missing), denial, sentence, PATHS)


def place(file: FileAccessFacts) -> Path:
    """Where a violation about this component stands: `access[/data]`."""
    return path("access", Key(file.path))


def describe(process: ProcessState, file: FileAccessFacts) -> str:
    """The file as ls(1) would show it in the container: `drwxr-xr-x root:root`."""
    owner, group = inside(process.uid_map, file.uid), inside(process.gid_map, file.gid)
    return f"{mode_text(file)} {_named(owner)}:{_named(group)}"


def who(process: ProcessState) -> str:
    """The process in a sentence, with the ids that it sees itself."""
    uid = inside(process.uid_map, process.uid[acl.FILE_SYSTEM])
    groups = dict.fromkeys((process.gid[acl.FILE_SYSTEM], *process.groups))
    listed = " ".join(inside(process.gid_map, gid) for gid in groups)
    host = "" if process.uid_map == IDENTITY else f" (host uid {process.uid[acl.FILE_SYSTEM]})"
    return f"the process is uid {uid}{host}, groups {listed}"


def inside(lines: Lines, host: int) -> str:
    """The id as the process sees it; of one that it can't see, the host's."""
    for first, outside, length in lines:
        if outside <= host < outside + length:
            return str(first + host - outside)
    return "unmapped" if host == UNMAPPED else f"host-{host}"


def _named(number: str) -> str:
    return "root" if number == "0" else number


def _doing(file: FileAccessFacts, asked: int) -> str:
    words = IN_DIRECTORY if file.directory else WORDS
    return words.get(asked) or WORDS.get(asked, "access")


def _letters(asked: int) -> str:
    return "".join(letter for letter, bit in (("r", READ), ("w", WRITE), ("x", EXECUTE)) if asked & bit)
