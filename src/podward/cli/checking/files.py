"""The files of a check: which ones are checked, by which names they are known, and how a file is replaced.

Reports call a file by its name as seen from the current directory, the configuration by its name as seen from the
configuration's directory. So a file gets the same waivers, exclusions and baseline if it is named by an absolute name,
or if the check starts in a directory further down. The rule is ruff's: reports show a file relative to the current
directory if it is below that directory or below the configuration's; patterns see it relative to the latter. Without a
configuration, and with one from somewhere else (`--config`), both directories are the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from podward.check.globs import Glob, any_matches
from podward.cli import inputs
from podward.cli.checking.unread import KUSTOMIZATIONS
from podward.errors import UsageError

STDIN = "-"


# --- which files are checked ------------------------------------------------------------------------------------------


class Link(Struct, frozen=True):
    """A link to a directory, which the search did not follow; `read` is whether the directory was searched itself."""

    name: str
    read: bool


class Searched(Struct, frozen=True):
    """What a search came to: the manifests, links to directories, and files that say what kustomize builds of what."""

    names: tuple[str, ...]
    links: tuple[Link, ...] = ()
    kustomizations: tuple[str, ...] = ()


_GIT = ".git"
"""What git keeps there is nobody's manifest; every other hidden directory is read, as `kubectl apply -R` does."""


def listed(paths: Iterable[str], exclude: tuple[Glob, ...], as_matched: Callable[[str], str] = str) -> tuple[str, ...]:
    """Every file once, in order: the named files, and the manifests below the named directories."""
    return search(paths, exclude, as_matched).names


def search(paths: Iterable[str], exclude: tuple[Glob, ...], as_matched: Callable[[str], str] = str) -> Searched:
    """Every file once, in order: the named files, and the manifests below the named directories.

    A named file is never excluded. `as_matched` gives the name of a file that the patterns in `exclude` see.
    """
    found: dict[str, None] = {}
    links: dict[str, None] = {}
    kustomizations: dict[str, None] = {}
    directories: list[str] = []
    for path in paths:
        if path == STDIN or not os.path.isdir(path):
            found[path] = None
            continue
        directories.append(path)
        for kind, name in _below(path):
            if any_matches(exclude, as_matched(name)):
                continue
            if kind is _LINK:
                links[name] = None
            elif kind is _BUILD:
                kustomizations[name] = None
            else:
                found[name] = None
                if os.path.basename(name) in KUSTOMIZATIONS:
                    kustomizations[name] = None
    roots = [os.path.realpath(directory) for directory in directories] if links else []
    return Searched(tuple(found), tuple(Link(name, _is_read(name, roots)) for name in links), tuple(kustomizations))


def _is_read(link: str, roots: list[str]) -> bool:
    """Whether the directory that the link leads to is below one that was searched."""
    target = os.path.realpath(link)
    return any(_is_below(target, root) and f"/{_GIT}/" not in f"{target[len(root) :]}/" for root in roots)


def without(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The names without those of the `others`: a baseline may be in the same directory as the manifests."""
    left_out = {os.path.realpath(other) for other in others}
    return tuple(names) if not left_out else tuple(name for name in names if os.path.realpath(name) not in left_out)


_FILE, _LINK, _BUILD = "a manifest", "a link", "a kustomization that is no manifest by its name"


def _below(directory: str) -> Iterator[tuple[str, str]]:
    """What is below a directory, sorted: manifests first, each with what it is.

    Links to directories are not followed: they could lead in a circle, or out of the tree. Pipes, sockets and devices
    are left out.
    """
    files: list[tuple[str, str]] = []
    directories: list[str] = []
    try:
        entries = list(os.scandir(directory))
    except OSError:
        yield _FILE, directory  # reading it will say what is wrong, so that it does not count as checked
        return
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            if name != _GIT:
                directories.append(name)
        elif name.endswith(inputs.EXTENSIONS) and _is_file(entry):
            files.append((name, _FILE))
        elif name == KUSTOMIZATIONS[-1] and _is_file(entry):
            files.append((name, _BUILD))
        elif entry.is_symlink() and os.path.isdir(entry.path):
            files.append((name, _LINK))
    for name, kind in sorted(files):
        yield kind, os.path.normpath(os.path.join(directory, name))
    for name in sorted(directories):
        yield from _below(os.path.join(directory, name))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file, or a link that leads nowhere: that one is to be reported as unreadable."""
    try:
        return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))
    except OSError:  # a link to itself
        return True


# --- names ------------------------------------------------------------------------------------------------------------


class Naming(Struct, frozen=True):
    """Two absolute directories: `here` is the current one, `root` that of the configuration."""

    here: str
    root: str

    def shown(self, path: str) -> str:
        """The name of a file in findings; `path` is the name on the command line."""
        if path == STDIN or not path or inputs.is_url(path):
            return path
        whole = os.path.normpath(os.path.join(self.here, path))
        if _is_below(whole, self.here) or _is_below(whole, self.root):
            return os.path.relpath(whole, self.here)
        return os.path.normpath(path)

    def rooted(self, file: str) -> str:
        """The name of a file for patterns and baselines; `file` is its name in findings."""
        if self.here == self.root:
            return file
        whole = os.path.normpath(os.path.join(self.here, file))
        return os.path.relpath(whole, self.root) if _is_below(whole, self.root) else whole

    def pattern(self, pattern: str) -> str:
        """A pattern of the command line, which is relative to `here`, as a pattern relative to `root`."""
        if "/" not in pattern.rstrip("/") or self.here == self.root:
            return pattern
        return os.path.join(os.path.relpath(self.here, self.root), pattern)


def naming(configuration: str) -> Naming:
    """The naming with this configuration file; empty for none.

    A configuration that is not above the current directory was named on the command line, and is from somewhere else:
    its patterns are about the files here.
    """
    here = _here()
    root = os.path.dirname(os.path.normpath(os.path.join(here, configuration))) if configuration else here
    return Naming(here, root if _is_below(here, root) else here)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # the current directory was removed: only absolute names lead anywhere
        return "/proc/self/cwd"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


# --- replacing --------------------------------------------------------------------------------------------------------


def replace(name: str, content: bytes) -> None:
    """Replace the content of a file at once, so that nobody ever sees half of it; its owner and mode stay.

    If the file is a link, the file that it leads to is replaced. If owner or group cannot be kept, the content is
    written into the file itself. Raises UsageError if neither is possible.
    """
    target = os.path.realpath(name)
    try:
        known = os.stat(target) if os.path.exists(target) else None
        if known is not None and not os.access(target, os.W_OK, effective_ids=True):
            raise UsageError("cannot write it: it is read-only", where=name, advice="make it writable, or leave it out")
        try:
            _replace(target, content, known)
        except PermissionError:
            with open(target, "r+b" if known is not None else "wb") as opened:
                opened.write(content)
                opened.truncate()
    except OSError as error:
        raise UsageError(f"cannot write it: {error.strerror}", where=name) from error


def _replace(target: str, content: bytes, known: os.stat_result | None) -> None:
    beside = f"{target}.podward-{os.getpid()}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as opened:
            opened.write(content)
            if known is not None:
                os.fchown(descriptor, known.st_uid, known.st_gid)
            os.fchmod(descriptor, known.st_mode & 0o7777 if known is not None else 0o644)
        os.rename(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
