"""What a container's own words say of a denial: EACCES or EPERM, and the path that it is about.

Programs say it in many forms: `touch: /etc/x: Permission denied`, `open() "/run/a.pid" failed (13: Permission denied)`,
`PermissionError: [Errno 13] Permission denied: '/a'`, `EACCES: permission denied, open '/a'`, and more.
The words come from a container: they are read, bounded, and never trusted.
"""

from __future__ import annotations

import re

from podward.render.next_command import CommandContext, access

_MESSAGE = re.compile(r"(permission ?denied|\bEACCES\b)|operation not permitted|\bEPERM\b", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w.:/-])/[^\s'\"`\u2018\u2019:,;()<>\[\]{}]+")
_CHANGES = re.compile(
    r"\b(touch|mkdir|mkfifo|mknod|rm|rmdir|unlink|mv|rename|cp|ln|link|symlink|install|tee|creat\w*|bind\w*|remove)\b"
)
_USES = (
    (re.compile(r"\b(writ\w*|append|truncate|O_WRONLY|O_RDWR|O_CREAT|chmod|chown)\b"), "w"),
    (re.compile(r"\b(cat|ls|head|tail|less|grep|find|stat|source|opendir|scandir|list\w*|read\w*)\b"), "r"),
    (re.compile(r"\b(exec\w*|fork|start\w*|sh|bash|ash|dash|env)\b"), "x"),
)
"""Words of tools and messages, with what these want; of any other, reading and writing is asked about."""
_NOT_FILES = ("/proc", "/sys")
"""What is below them is no file of the image or of a volume: --access knows nothing of it."""
_LONGEST, _LONGEST_PATH = 4096, 1024
"""The characters of a line, and of a path, that are looked at."""


def after_message(line: str, context: CommandContext) -> str:
    """The command after a line that tells of EACCES or EPERM; empty after any other line."""
    line = line[:_LONGEST]
    message = _MESSAGE.search(line)
    if message is None:
        return ""
    path = _path(line, message)
    return access(*_question(line, path), context) if path else context.podward("explain", "-o wide")


def _path(line: str, message: re.Match[str]) -> str:
    """The last path before the message, else the first one behind it; empty where there is none to ask about.

    What is "not permitted" (EPERM) is a capability's or a filter's matter, but for devices.
    """
    found = _PATH.findall(line[: message.start()])[-1:] or _PATH.findall(line[message.end() :])[:1]
    if not found or len(found[0]) > _LONGEST_PATH or found[0].startswith(_NOT_FILES):
        return ""
    return found[0] if message[1] or found[0].startswith("/dev/") else ""


def _question(line: str, path: str) -> tuple[str, str]:
    """The path to ask about, and for what: who makes or removes something needs to write to its directory."""
    words = line.replace(path, " ")
    if path.startswith("/dev/"):
        return path, "rw"
    if _CHANGES.search(words):
        return path.rstrip("/").rpartition("/")[0] or "/", "w"
    return path, next((letters for pattern, letters in _USES if pattern.search(words)), "rw")
