"""The command to type next, after a refusal or a denial.

A refusal that `run` or `admit` tells leads to `explain`, which has every stage; one that `explain` tells leads to what
changes the answer, or tells more about its cause.
"""

from __future__ import annotations

from msgspec import Struct

from podward.decision import Origin, Violation

_STDIN = "<stdin>"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")


class CommandContext(Struct, frozen=True, gc=False):
    """What a command names again: the manifest's file, options that were given, and the container, if there are others.

    Where admission was asked, `scc` is the closest SCC that refused, by its name or its file, and `asked` are the words
    by which `check` asks about the same namespace and user.
    """

    file: str
    options: str = ""
    container: str = ""
    scc: str = ""
    asked: str = ""

    def podward(self, command: str, *words: str) -> str:
        """`podward COMMAND FILE …` as it is typed."""
        file = "-" if self.file == _STDIN else self.file
        return " ".join(part for part in ("podward", command, quoted(file), self.options, *words) if part)


def quoted(word: str) -> str:
    """The word as a shell takes it for one; a file that begins with a dash gets its directory."""
    return shell_word(f"./{word}" if word.startswith("-") and word != "-" else word)


def shell_word(word: str) -> str:
    """The word as a shell takes it for one, whatever is in it."""
    return word if word and _PLAIN.issuperset(word) else "'" + word.replace("'", "'\"'\"'") + "'"


def after_explained(stage: str, violation: Violation, context: CommandContext) -> str:
    """The command after a refusal that `explain` tells."""
    if stage == "admission":
        scc = f"--scc {quoted(context.scc)}" if context.scc else ""
        return CommandContext(context.file).podward("check", context.asked, scc)
    if sysctl := _forbidden_sysctl(violation):
        return context.podward("explain", "--allowed-unsafe-sysctls", quoted(sysctl))
    value = violation.value
    of_mount = violation.path.segments[:1] == ("mounts",)
    if stage == "kernel" and not of_mount and isinstance(value, str):
        if "$(" in value:  # a word that stands as it was written: only its variable's value says which file it is
            return context.podward("explain", "--show-env")
        if value.startswith("/"):
            return access(value, "x", context)
    if violation.source.origin is Origin.NODE:
        return "podward doctor"
    return "podward image ls" if "image" in violation.reason else context.podward("explain", "-o wide")


def after_run(violation: Violation, context: CommandContext) -> str:
    """The command after a refusal that `run` tells."""
    if sysctl := _forbidden_sysctl(violation):
        return context.podward("run", "--allowed-unsafe-sysctls", quoted(sysctl))
    return context.podward("explain")


def after_failed_start(reason: str, entry: str, context: CommandContext) -> str:
    """The command after a container could not be started; `entry` is the first word of its command in the manifest."""
    if "ermission denied" in reason and entry.startswith("/"):
        return access(entry, "x", context)
    return context.podward("explain")


def access(path: str, wanted: str, context: CommandContext) -> str:
    """The question whether the process may use the path so, and which rule says no."""
    container = f"--container {quoted(context.container)}" if context.container else ""
    return context.podward("explain", "--access", quoted(f"{path}:{wanted}"), container)


def _forbidden_sysctl(violation: Violation) -> str:
    """The sysctl that the kubelet does not allow, as its sentence names it."""
    _, found, rest = violation.reason.partition('forbidden sysctl: "')
    name, _, more = rest.partition('"')
    return name if found and "allowlisted" in more else ""
