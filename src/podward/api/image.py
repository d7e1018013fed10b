"""The facts of an image that decide about its process: its config, and the files that a runtime reads."""

from __future__ import annotations

from msgspec import Struct, field

from podward.decision import Unknown

ASSUMED = "--image-user"
"""The name of the source of what is assumed of an image."""


class ImageConfig(Struct, frozen=True, gc=False):
    """The `config` object of an OCI image configuration (image-spec 1.1)."""

    user: str = field(default="", name="User")
    env: tuple[str, ...] = field(default=(), name="Env")
    entrypoint: tuple[str, ...] = field(default=(), name="Entrypoint")
    cmd: tuple[str, ...] = field(default=(), name="Cmd")
    working_dir: str = field(default="", name="WorkingDir")
    volumes: tuple[str, ...] = field(default=(), name="Volumes")
    stop_signal: str = field(default="", name="StopSignal")


class PasswdEntry(Struct, frozen=True, gc=False):
    """One line of the image's /etc/passwd; `line` is 1-based."""

    name: str
    uid: int
    gid: int
    home: str
    line: int


class GroupEntry(Struct, frozen=True, gc=False):
    """One line of the image's /etc/group; `line` is 1-based."""

    name: str
    gid: int
    members: tuple[str, ...]
    line: int


class FileCapabilities(Struct, frozen=True, gc=False):
    """The `security.capability` attribute of a file: masks of capability bits (capabilities(7)).

    `root_uid` is the namespace root of a version 3 attribute, in host ids; None for version 2.
    """

    permitted: int
    inheritable: int
    effective: bool
    root_uid: int | None = None


class EntryFile(Struct, frozen=True, gc=False):
    """The file that execve(2) will run; links are resolved inside the image.

    For a script, `interpreter` is the file that its `#!` line names; that file's mode and attributes count (execve(2)).
    `mode` is `st_mode`; uid and gid are host ids, as the parent of the process's user namespace sees them. `nosuid` is
    the flag of the file's mount. `error` is the name of the errno with which the kernel refuses the content of the
    file, whoever runs it: ENOEXEC (neither a program of this machine nor a script), ENOENT (the interpreter is not
    there), ELOOP (too many scripts in a row), EACCES (a script that names the empty path). It is empty if the file
    can be run. `cure` is the change that would let everybody execute it, empty if none is known.
    """

    path: str
    mode: int
    uid: int
    gid: int
    capabilities: FileCapabilities | None = None
    nosuid: bool = False
    interpreter: EntryFile | None = None
    error: str = ""
    cure: str = ""


class Image(Struct, frozen=True, gc=False):
    """An image as the stages need it; `runtime.images` reads these facts."""

    name: str
    id: str
    config: ImageConfig = field(default_factory=ImageConfig)
    passwd: tuple[PasswdEntry, ...] = ()
    group: tuple[GroupEntry, ...] = ()


class AssumedUser(Struct, frozen=True, gc=False):
    """What somebody says of an image that is not here: its user, and the group of that user in its /etc/passwd."""

    user: str
    gid: int | None = None


class UnknownImage(Struct, frozen=True, gc=False):
    """An image of which only the name is known, and why; `assumed` is what is taken for its user."""

    name: str
    unknown: Unknown
    assumed: AssumedUser | None = None
