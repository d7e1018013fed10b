"""Changing the image store so that a killed process leaves it intact.

All work is done in a directory of its own below tmp/. Its owner holds a lock on it and passes the lock to the tools it
starts. A finished image is moved into the store by renames, under the store's lock. The next change removes whatever a
dead process left: its directory in tmp/, and blobs without a name.
"""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from podward.errors import ImageError, NodeError, RuntimeFailedError
from podward.runtime import syscalls
from podward.runtime.images.layout import LARGEST_DOCUMENT, LAYOUT_FILE, Manifest, decode
from podward.runtime.images.store import ImageStore, IndexEntry, encode_index
from podward.runtime.state import Lock

WORK_DIRECTORY = "tmp"
"""The directory of the store with the directories of work in progress."""
_PACKAGES = {"skopeo": "skopeo", "umoci": "umoci"}


class Staging:
    """A directory for one change of the store; the context removes it at its end. Makes the store if it is missing.

    Of changes with the same `name`, one is made at a time; the others wait for it.
    """

    def __init__(self, store: ImageStore, name: str = "") -> None:
        self.store = store
        self.path = f"{store.directory}/{WORK_DIRECTORY}/{name or os.urandom(6).hex()}"
        self._lock = -1

    def __enter__(self) -> Self:
        make_store(self.store)
        while not self._claim():
            self._wait()
        for name in ("blobs", "blobs/sha256"):
            os.mkdir(f"{self.path}/{name}", 0o700)
        return self

    def _claim(self) -> bool:
        with store_lock(self.store):
            doomed = set_aside(self.store)
            mine = not os.path.isdir(self.path)
            if mine:
                os.mkdir(self.path, 0o700)
                self._lock = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
        discard(doomed)
        return mine

    def _wait(self) -> None:
        """Wait for the end of the process that makes a change of this name."""
        try:
            descriptor = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.close(descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        doomed = _aside(self.store, self.path)  # by another name, which nobody makes anew while it goes
        discard(doomed)
        os.close(self._lock)

    def blob(self, digits: str) -> str:
        """The path of a blob in this directory."""
        return f"{self.path}/blobs/sha256/{digits}"

    def run(self, words: tuple[str, ...], *, output: int = subprocess.PIPE, largest_file: int | None = None) -> bytes:
        """Run a tool in this directory and return its output; the tool is killed if this process dies.

        `output` is the tool's standard output; a file that it writes may have `largest_file` bytes. Raises NodeError if
        the tool is not installed, and RuntimeFailedError with its last line if it fails.
        """

        def prepare() -> None:
            syscalls.die_with_parent()
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        try:
            done = subprocess.run(
                words,
                cwd=self.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                check=False,
                umask=0o022,
                pass_fds=(self._lock,),
                preexec_fn=prepare,  # there are no other threads
            )
        except FileNotFoundError:
            advice = f"install it: apt-get install {_PACKAGES.get(words[0], words[0])}"
            raise NodeError(f"{words[0]} is not installed", advice=advice) from None
        if done.returncode:
            raise RuntimeFailedError(last_message(done.stderr) or f"it ended with {done.returncode}", where=words[0])
        return done.stdout or b""


def make_store(store: ImageStore) -> None:
    """Make the store's directories. Raises NodeError if this user may not."""
    directory = store.directory
    try:
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
        for name in ("", f"/{WORK_DIRECTORY}", "/rootfs", "/blobs", "/blobs/sha256"):
            if not os.path.isdir(directory + name):
                os.makedirs(directory + name, mode=0o700, exist_ok=True)
    except OSError as error:
        advice = "run as root, or set PODWARD_ROOT to a directory that root may write"
        raise NodeError(f"cannot make the image store: {error.strerror}", where=directory, advice=advice) from error
    with store_lock(store):
        if not os.path.exists(f"{directory}/oci-layout"):
            replace(f"{directory}/oci-layout", LAYOUT_FILE)


def store_lock(store: ImageStore) -> Lock:
    """Take the store's lock, which is held only for moments."""
    return Lock.wait(f"{store.directory}/lock")


def sweep(store: ImageStore) -> None:
    """Remove what dead processes left in the store, and files of images that nobody names or uses any more."""
    if os.path.isdir(store.directory):
        make_store(store)
        with store_lock(store):
            doomed = set_aside(store)
        discard(doomed)


def set_aside(store: ImageStore) -> tuple[str, ...]:
    """Take what a sweep removes out of the store; the caller, who holds the store's lock, discards it without the lock.

    Removing gigabytes takes seconds; a process that is killed before leaves them to the next sweep.
    """
    doomed: list[str] = []
    for name in os.listdir(f"{store.directory}/{WORK_DIRECTORY}"):
        directory = f"{store.directory}/{WORK_DIRECTORY}/{name}"
        try:
            lock = Lock.attempt(f"{directory}/lock")
        except FileNotFoundError:  # its owner died before it made the lock, or while it removed the directory
            lock = Lock(-1)
        if lock is not None:
            doomed += _aside(store, directory)
            lock.release()
    return (*doomed, *_set_aside_unreferenced(store))


def discard(doomed: tuple[str, ...]) -> None:
    """Remove what was set aside."""
    for directory in doomed:
        remove_tree(directory)


def _aside(store: ImageStore, directory: str) -> tuple[str, ...]:
    place = f"{store.directory}/{WORK_DIRECTORY}/{os.urandom(6).hex()}"
    try:
        os.rename(directory, place)
    except FileNotFoundError:  # another process has just removed it
        return ()
    return (place,)


def _set_aside_unreferenced(store: ImageStore) -> Iterator[str]:
    """Remove blobs that belong to no image, and set such root file systems aside.

    If the manifest of an image is damaged, its blobs are not known, so all blobs stay.
    """
    entries = store.entries()
    try:
        wanted = {digest for entry in entries for digest in _blobs_of(store, entry)}
    except (OSError, ImageError):
        wanted = None
    for digits in os.listdir(f"{store.directory}/blobs/sha256"):
        if wanted is not None and f"sha256:{digits}" not in wanted:
            os.unlink(f"{store.directory}/blobs/sha256/{digits}")
    kept = {entry.id for entry in entries}
    for digits in os.listdir(f"{store.directory}/rootfs"):
        lock = lock_unused(store, digits) if f"sha256:{digits}" not in kept else None
        if lock is not None:
            yield from _aside(store, f"{store.directory}/rootfs/{digits}")
            lock.release()


def _blobs_of(store: ImageStore, entry: IndexEntry) -> tuple[str, ...]:
    place = f"{store.directory}/blobs/sha256/{entry.manifest[7:]}"
    with open(place, "rb") as opened:
        manifest = decode(opened.read(LARGEST_DOCUMENT), Manifest, place)
    return (entry.manifest, manifest.config.digest, *(layer.digest for layer in manifest.layers or ()))


def lock_unused(store: ImageStore, digits: str) -> Lock | None:
    """Take the image's own lock exclusively; None if a container uses the image (holds the lock or mounts its files).

    The mounts of all processes count: a Pod that was kept running has no podward process that could hold the lock.
    So do those of whom the store's owner knows.
    """
    if f"sha256:{digits}" in store.in_use():
        return None
    try:
        lock = Lock.attempt(f"{store.directory}/rootfs/{digits}/lock")
    except FileNotFoundError:
        lock = Lock(-1)
    if lock is not None and digits.encode() in b"".join(_mount_tables()):
        lock.release()
        return None
    return lock


def _mount_tables() -> Iterator[bytes]:
    seen: set[str] = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            namespace = os.readlink(f"/proc/{process}/ns/mnt")
            if namespace not in seen:
                with open(f"/proc/{process}/mountinfo", "rb") as opened:
                    yield opened.read()
                seen.add(namespace)
        except OSError:  # the process has ended, or is not ours to look at
            continue


def write_entries(store: ImageStore, entries: tuple[IndexEntry, ...]) -> None:
    """Replace the list of images; the caller holds the store's lock."""
    replace(f"{store.directory}/index.json", encode_index(entries))


def replace(file: str, content: bytes) -> None:
    """Write a whole file with mode 0600; readers see either the old file or the new one."""
    fresh = f"{file}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)
    os.rename(fresh, file)


def remove_tree(directory: str) -> None:
    """Remove a directory with all its content; coreutils' rm can do that with hostile and very deep trees."""
    words = ("/bin/rm", "-rf", "--one-file-system", "--", directory)
    if subprocess.run(words, check=False).returncode and os.path.lexists(directory):  # perhaps another did it, too
        subprocess.run(words, check=True)


def last_message(said: bytes) -> str:
    """The last message of a tool, without its log format."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return ""
    _, found, message = lines[-1].partition('msg="')
    if found:
        return message.rpartition('"')[0].replace('\\"', '"').replace("\\\\", "\\")
    return lines[-1].strip()
