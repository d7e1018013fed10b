"""Reading the instructions of a Containerfile that `podward image build` knows: those that run nothing.

FROM (once, first), COPY with --chown and --chmod, ENV, LABEL, USER, WORKDIR, ENTRYPOINT, CMD, VOLUME and STOPSIGNAL,
as Docker's reference describes them: comments, lines continued with a backslash, JSON lists or plain words, and
`$NAME` or `${NAME}` of the variables set by ENV. There is no RUN: nothing of an image runs while it is built.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from podward.errors import InputError

KNOWN = ("FROM", "COPY", "ENV", "LABEL", "USER", "WORKDIR", "ENTRYPOINT", "CMD", "VOLUME", "STOPSIGNAL")
_INSTEAD = {
    "RUN": "nothing runs during a build here: COPY what RUN would have made, or build with podman and import the image",
    "ADD": "use COPY: ADD's fetching and unpacking are not known here",
    "ARG": "use ENV",
}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Copy(Struct, frozen=True):
    """A COPY instruction: `owner` is (uid, gid); if `mode` is None, each file keeps its own mode."""

    sources: tuple[str, ...]
    target: str
    owner: tuple[int, int]
    mode: int | None
    where: str


class Recipe(Struct):
    """The content of a Containerfile; a field is None if the base image decides it. Paths are absolute."""

    base: str = ""
    copies: list[Copy] = msgspec.field(default_factory=list)
    directories: list[str] = msgspec.field(default_factory=list)
    env: dict[str, str] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    volumes: list[str] = msgspec.field(default_factory=list)
    user: str | None = None
    working_dir: str | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    stop_signal: str | None = None


class BaseFacts(Struct, frozen=True):
    """The facts of the base image that instructions need."""

    env: dict[str, str] = {}
    working_dir: str = ""


class Line(Struct, frozen=True):
    """One instruction: its name in capitals, its words, and its `file:line`."""

    instruction: str
    words: str
    where: str


def lines(text: str, file: str) -> tuple[Line, ...]:
    """The instructions of a Containerfile. Raises InputError for an unknown one, and for one in the wrong place."""
    found = tuple(Line(*_split(content), f"{file}:{number}") for number, content in _joined(text))
    for position, line in enumerate(found):
        if line.instruction not in KNOWN:
            advice = _INSTEAD.get(line.instruction, f"known are {', '.join(KNOWN)}")
            raise InputError(f"{line.instruction[:40]!a} is not known here", where=line.where, advice=advice)
        if (line.instruction == "FROM") != (position == 0):
            raise InputError("there must be one FROM, and it must be the first instruction", where=line.where)
    if not found:
        raise InputError("there is no FROM", where=file, advice="begin with `FROM scratch`")
    return found


def base(found: tuple[Line, ...]) -> str:
    """The image that FROM names, or `scratch`."""
    words = found[0].words.split()
    if len(words) != 1:
        raise InputError("FROM takes one image, or `scratch`", where=found[0].where)
    return words[0]


def read(found: tuple[Line, ...], facts: BaseFacts) -> Recipe:
    """The recipe of an image from these instructions. Raises InputError if one of them is malformed."""
    recipe = Recipe(base=base(found), env=dict(facts.env))
    place = facts.working_dir or "/"
    for line in found[1:]:
        match line.instruction:
            case "COPY":
                recipe.copies.append(_copy(line, recipe.env, place))
            case "ENV" | "LABEL":
                target = recipe.env if line.instruction == "ENV" else recipe.labels
                target.update(_pairs(line, recipe.env))
            case "USER":
                recipe.user = _one(line, recipe.env)
            case "STOPSIGNAL":
                recipe.stop_signal = _one(line, recipe.env)
            case "WORKDIR":
                place = _join(place, _one(line, recipe.env))
                recipe.working_dir = place
                recipe.directories.append(place)
            case "VOLUME":
                listed = _list(line) or tuple(_words(line))
                recipe.volumes += [_join("/", _expanded(word, recipe.env, line.where)) for word in listed]
            case "ENTRYPOINT":
                recipe.entrypoint = _command(line)
            case _:
                recipe.cmd = _command(line)
    return recipe


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Whole instructions, each with the number of its first line; without comments and empty lines."""
    start, parts = 0, ""
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start or number
        if stripped.endswith("\\"):
            parts += stripped[:-1]
            continue
        yield start, parts + stripped
        start, parts = 0, ""
    if parts:
        yield start, parts


def _split(content: str) -> tuple[str, str]:
    instruction, _, words = content.replace("\t", " ").partition(" ")
    return instruction.upper(), words.strip()


def _words(line: Line) -> list[str]:
    try:
        found = shlex.split(line.words.replace("\\$", "\\\\$"))
    except ValueError as error:
        raise InputError(f"{line.instruction}: {error}", where=line.where) from None
    if not found:
        raise InputError(f"{line.instruction} says nothing", where=line.where)
    return found


def _list(line: Line) -> tuple[str, ...] | None:
    """The words of the JSON form; None if the instruction has the other form."""
    if not line.words.startswith("["):
        return None
    try:
        return msgspec.json.decode(line.words.encode(), type=tuple[str, ...])
    except msgspec.MsgspecError:
        return None


def _command(line: Line) -> tuple[str, ...]:
    listed = _list(line)
    if listed is not None:
        return listed
    if not line.words:
        raise InputError(f"{line.instruction} says nothing", where=line.where)
    return ("/bin/sh", "-c", line.words)


def _one(line: Line, env: dict[str, str]) -> str:
    words = _words(line)
    if len(words) != 1:
        raise InputError(f"{line.instruction} takes one word", where=line.where)
    value = _expanded(words[0], env, line.where)
    if not value:
        raise InputError(f"{line.instruction} says nothing", where=line.where)
    return value


def _pairs(line: Line, env: dict[str, str]) -> dict[str, str]:
    words = _words(line)
    if "=" not in words[0] and len(words) > 1:  # the old form: one name, the rest is its value
        name, _, value = line.words.partition(" ")
        return {name: _expanded(value.strip(), env, line.where)}
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise InputError(f"{line.instruction} takes NAME=VALUE, not {word[:40]!a}", where=line.where)
        pairs[name] = _expanded(value, env, line.where)
    return pairs


def _copy(line: Line, env: dict[str, str], place: str) -> Copy:
    flags: dict[str, str] = {}
    rest = line.words
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag[2:].partition("=")
        if name not in ("chown", "chmod"):
            raise InputError(f"COPY {flag[:40]} is not known here", where=line.where, advice="known: --chown, --chmod")
        flags[name] = _expanded(value, env, line.where)
        rest = rest.lstrip()
    left = Line(line.instruction, rest, line.where)
    words = [_expanded(word, env, line.where) for word in _list(left) or _words(left)]
    if len(words) < 2:
        raise InputError("COPY takes what to copy and where to", where=line.where)
    slash = "/" if words[-1].endswith("/") or words[-1] in (".", "..") or len(words) > 2 else ""
    owner = _owner(flags.get("chown", "0:0"), line.where)
    mode = _mode(flags["chmod"], line.where) if "chmod" in flags else None
    return Copy(tuple(words[:-1]), _join(place, words[-1]).rstrip("/") + slash or "/", owner, mode, line.where)


def _owner(text: str, where: str) -> tuple[int, int]:
    uid, _, gid = text.partition(":")
    gid = gid or uid
    if not all(number.isascii() and number.isdigit() and int(number) < 1 << 32 for number in (uid, gid)):
        raise InputError(f"--chown={text[:40]} is not UID or UID:GID", where=where, advice="names are not known here")
    return int(uid), int(gid)


def _mode(text: str, where: str) -> int:
    if not (0 < len(text) <= 5 and set(text) <= set("01234567") and int(text, 8) <= 0o7777):
        raise InputError(f"--chmod={text[:40]} is not an octal mode", where=where)
    return int(text, 8)


def _join(place: str, path: str) -> str:
    """The absolute path, without `.` and `..`."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{place}/{path}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _expanded(word: str, env: dict[str, str], where: str) -> str:
    """The word with the values of its variables; a dollar sign after a backslash is no variable."""
    done, rest = "", word
    while True:
        before, dollar, rest = rest.partition("$")
        if not dollar:
            return done + before
        if before.endswith("\\"):
            done += before[:-1] + "$"
            continue
        if rest.startswith("{"):
            name, brace, rest = rest[1:].partition("}")
            if not brace or not name or not _NAME.issuperset(name):
                raise InputError(f"${{{name[:40]}… is not a variable", where=where, advice="known: $NAME and ${NAME}")
        else:
            length = next((i for i, char in enumerate(rest) if char not in _NAME), len(rest))
            name, rest = rest[:length], rest[length:]
        done += before + (env.get(name, "") if name else "$")
