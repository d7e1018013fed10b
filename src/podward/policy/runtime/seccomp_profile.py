"""The reader of Localhost seccomp profiles.

Specification, in our words: the JSON format of Docker and CRI-O (moby/profiles `seccomp/seccomp.go`, containers/common
`pkg/seccomp/types.go`), which includes the format of the runtime spec 1.0.2. A profile needs a default action. It has
either `architectures` or `archMap`; a rule has either `names` or `name`. Names of actions, architectures, operators and
flags are those of libseccomp. Names of system calls need not be known here, because the OCI runtime ignores unknown
ones. The runtimes silently ignore unknown fields; this reader refuses them, because a misspelt field would weaken the
filter.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from podward.api.oci import SeccompArg
from podward.errors import InputError
from podward.policy.runtime.seccomp_table import ALWAYS, Condition, Profile, Rule

ADVICE = "a seccomp profile has defaultAction, architectures or archMap, and syscalls (names, action, args)"
ACTIONS = frozenset(
    "SCMP_ACT_" + name
    for name in ("ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "NOTIFY", "TRACE", "TRAP")
)
OPERATORS = frozenset("SCMP_CMP_" + name for name in ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"))
FLAGS = frozenset("SECCOMP_FILTER_FLAG_" + name for name in ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"))
ARCHITECTURES = frozenset(
    "SCMP_ARCH_" + name
    for name in (
        *("NATIVE", "X86", "X86_64", "X32", "ARM", "AARCH64", "LOONGARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL"),
        *("MIPSEL64", "MIPSEL64N32", "PARISC", "PARISC64", "PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X"),
    )
)
HIGHEST_ERRNO = 4095
"""The largest error number that the kernel returns (MAX_ERRNO)."""
ARGUMENTS = 6


class _Document(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The base of the JSON's objects: camelCase names, no unknown fields."""


class _Filter(_Document, frozen=True):
    caps: tuple[str, ...] | None = None
    arches: tuple[str, ...] | None = None
    min_kernel: str | None = None


class _Arg(_Document, frozen=True):
    index: int
    op: str
    value: int = 0
    value_two: int = 0


class _Syscall(_Document, frozen=True):
    action: str
    name: str = ""
    names: tuple[str, ...] | None = None
    errno_ret: int | None = None
    args: tuple[_Arg, ...] | None = None
    includes: _Filter | None = None
    excludes: _Filter | None = None
    comment: str = ""
    errno: str = ""
    priority: int = 0


class _Architecture(_Document, frozen=True):
    architecture: str
    sub_architectures: tuple[str, ...] | None = None


class _File(_Document, frozen=True):
    default_action: str
    default_errno_ret: int | None = None
    default_errno: str = ""
    architectures: tuple[str, ...] | None = None
    arch_map: tuple[_Architecture, ...] | None = None
    flags: tuple[str, ...] | None = None
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: tuple[_Syscall, ...] | None = None
    comment: str = field(default="", name="comment")


def parse(content: bytes, where: str) -> Profile:
    """The profile in `content`, with its conditions. Raises InputError for an invalid profile; `where` is the file."""
    try:
        document = msgspec.json.decode(content, type=_File)
    except msgspec.ValidationError as error:
        raise InputError(f"not a seccomp profile: {error}", where=where, advice=ADVICE) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not JSON: {error}", where=where, advice=ADVICE) from None
    reader = _Reader(where)
    return reader.profile(document)


class _Reader:
    """Checks a document and translates it into a Profile; every method raises InputError."""

    def __init__(self, where: str) -> None:
        self._where = where

    def profile(self, document: _File) -> Profile:
        self._known(document.default_action, ACTIONS, "defaultAction")
        self._errno(document.default_errno_ret, "defaultErrnoRet")
        if document.architectures and document.arch_map:
            self._refuse("both 'architectures' and 'archMap' are given: use one of them", "archMap")
        for name in document.architectures or ():
            self._known(name, ARCHITECTURES, "architectures")
        for name in document.flags or ():
            self._known(name, FLAGS, "flags")
        rules = tuple(self._rule(rule, f"syscalls[{i}]") for i, rule in enumerate(document.syscalls or ()))
        notified = any(rule.action == "SCMP_ACT_NOTIFY" for rule in rules)
        if document.listener_path and not notified:
            self._refuse("there is no rule with SCMP_ACT_NOTIFY for it", "listenerPath")
        if notified and not document.listener_path:
            self._refuse("SCMP_ACT_NOTIFY needs it", "listenerPath")
        return Profile(
            default_action=document.default_action,
            default_errno=document.default_errno_ret,
            architectures=document.architectures or (),
            arch_map=tuple(self._architecture(entry) for entry in document.arch_map or ()),
            flags=document.flags or (),
            listener_path=document.listener_path,
            listener_metadata=document.listener_metadata,
            rules=rules,
        )

    def _architecture(self, entry: _Architecture) -> tuple[str, tuple[str, ...]]:
        others = entry.sub_architectures or ()
        for name in (entry.architecture, *others):
            self._known(name, ARCHITECTURES, "archMap")
        return entry.architecture, others

    def _rule(self, rule: _Syscall, place: str) -> Rule:
        self._known(rule.action, ACTIONS, f"{place}.action")
        self._errno(rule.errno_ret, f"{place}.errnoRet")
        if rule.name and rule.names:
            self._refuse("both 'name' and 'names' are given: use one of them", place)
        names = (rule.name,) if rule.name else rule.names or ()
        if not names:
            self._refuse("it names no system call", place)
        for name in names:
            if not (name.isascii() and name.replace("_", "").isalnum()):
                self._refuse(f"{name!r} is no name of a system call", f"{place}.names")
        return Rule(
            names=" ".join(names),
            action=rule.action,
            errno=rule.errno_ret,
            args=tuple(self._arg(arg, f"{place}.args[{i}]") for i, arg in enumerate(rule.args or ())),
            when=self._condition(rule, place),
            single_name=bool(rule.name),
        )

    def _arg(self, arg: _Arg, place: str) -> SeccompArg:
        self._known(arg.op, OPERATORS, f"{place}.op")
        if not 0 <= arg.index < ARGUMENTS:
            self._refuse(f"{arg.index} is no argument: 0 to {ARGUMENTS - 1}", f"{place}.index")
        for value, name in ((arg.value, "value"), (arg.value_two, "valueTwo")):
            if not 0 <= value < 1 << 64:
                self._refuse(f"{value} is no unsigned 64-bit number", f"{place}.{name}")
        return SeccompArg(arg.index, arg.value, arg.value_two, arg.op)

    def _condition(self, rule: _Syscall, place: str) -> Condition:
        included, excluded = rule.includes or _Filter(), rule.excludes or _Filter()
        condition = Condition(
            capabilities=included.caps or (),
            without_capabilities=excluded.caps or (),
            arches=included.arches or (),
            without_arches=excluded.arches or (),
            from_kernel=self._version(included.min_kernel, f"{place}.includes.minKernel"),
            before_kernel=self._version(excluded.min_kernel, f"{place}.excludes.minKernel"),
        )
        return ALWAYS if condition == ALWAYS else condition

    def _version(self, text: str | None, place: str) -> tuple[int, int] | None:
        if not text:
            return None
        kernel, dot, major = text.partition(".")
        if not (dot and kernel.isdecimal() and major.isdecimal()):
            self._refuse(f"{text!r} is no kernel version like 4.8", place)
        return int(kernel), int(major)

    def _known(self, word: str, known: frozenset[str], place: str) -> None:
        if word not in known:
            self._refuse(f"{word!r} is not known; it is one of {', '.join(sorted(known))}", place)

    def _errno(self, number: int | None, place: str) -> None:
        if number is not None and not 0 <= number <= HIGHEST_ERRNO:
            self._refuse(f"{number} is no error number: 0 to {HIGHEST_ERRNO}", place)

    def _refuse(self, what: str, place: str) -> None:
        raise InputError(f"not a seccomp profile: {place}: {what}", where=self._where, advice=ADVICE)
