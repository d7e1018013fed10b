"""Where changes to the store are prepared, so that a killed process leaves nothing that counts.

All work happens in a directory of its own below tmp/, whose lock its owner holds and hands to the tools it starts.
A finished image then moves into the store by renames under the store's lock. Whatever a dead process left, a
directory in tmp/ or a blob that no name leads to, the next change sweeps away.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from podward.errors import ImageError, NodeError, RuntimeFailedError
from podward.runtime import syscalls
from podward.runtime.images.layout import LARGEST_DOCUMENT, LAYOUT_FILE, Manifest, decode
from podward.runtime.images.store import Entry, ImageStore, encode_index
from podward.runtime.state import Lock

WORK = "tmp"
"""The directory of the store where everybody's work is under way."""
_PACKAGES = {"skopeo": "skopeo", "umoci": "umoci"}


class Staging:
    """A directory of our own in the store, removed on leaving; makes the store if it is missing."""

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.path = f"{store.directory}/{WORK}/{os.urandom(6).hex()}"
        self._lock = -1

    def __enter__(self) -> Self:
        prepare(self.store)
        with change(self.store):
            sweep_locked(self.store)
            os.mkdir(self.path, 0o700)
            self._lock = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        for name in ("blobs", "blobs/sha256"):
            os.mkdir(f"{self.path}/{name}", 0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove_tree(self.path)
        os.close(self._lock)

    def blob(self, digits: str) -> str:
        """Where a blob is prepared."""
        return f"{self.path}/blobs/sha256/{digits}"

    def run(self, words: tuple[str, ...], *, output: int = subprocess.PIPE) -> bytes:
        """Run a tool here to its end, and return what it wrote; the tool ends with us.

        `output` is where its standard output goes. Raises NodeError where the tool is missing and
        RuntimeFailedError with its last line where it failed.
        """
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
                preexec_fn=syscalls.die_with_parent,  # there are no other threads
            )
        except FileNotFoundError:
            advice = f"install it: apt-get install {_PACKAGES.get(words[0], words[0])}"
            raise NodeError(f"{words[0]} is not installed", advice=advice) from None
        if done.returncode:
            raise RuntimeFailedError(last_message(done.stderr) or f"it ended with {done.returncode}", where=words[0])
        return done.stdout or b""


def prepare(store: ImageStore) -> None:
    """Make the store's directories; raises NodeError where this user may not."""
    directory = store.directory
    try:
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
        for name in ("", f"/{WORK}", "/rootfs", "/blobs", "/blobs/sha256"):
            if not os.path.isdir(directory + name):
                os.makedirs(directory + name, mode=0o700, exist_ok=True)
    except OSError as error:
        advice = "run as root, or set PODWARD_ROOT to a directory that root may write"
        raise NodeError(f"cannot make the image store: {error.strerror}", where=directory, advice=advice) from error
    with change(store):
        if not os.path.exists(f"{directory}/oci-layout"):
            replace(f"{directory}/oci-layout", LAYOUT_FILE)


def change(store: ImageStore) -> Lock:
    """The store's lock: held only for moments."""
    return Lock.wait(f"{store.directory}/lock")


def sweep(store: ImageStore) -> None:
    """Remove what processes that died have left in the store."""
    if os.path.isdir(store.directory):
        prepare(store)
        with change(store):
            sweep_locked(store)


def sweep_locked(store: ImageStore) -> None:
    """As `sweep`, for who holds the store's lock."""
    for name in os.listdir(f"{store.directory}/{WORK}"):
        directory = f"{store.directory}/{WORK}/{name}"
        try:
            lock = Lock.attempt(f"{directory}/lock")
        except FileNotFoundError:  # its owner died before it had a lock, or while it took all away
            remove_tree(directory)
            continue
        if lock is not None:
            remove_tree(directory)
            lock.release()
    collect(store)


def collect(store: ImageStore) -> None:
    """Remove the blobs and root file systems that no name leads to; the store's lock must be held.

    While an image's manifest is damaged, it can't be told which blobs are its own: then all blobs stay.
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
        claimed = claim(store, digits) if f"sha256:{digits}" not in kept else None
        if claimed is not None:
            doomed = f"{store.directory}/{WORK}/{os.urandom(6).hex()}"
            os.rename(f"{store.directory}/rootfs/{digits}", doomed)
            claimed.release()
            remove_tree(doomed)


def _blobs_of(store: ImageStore, entry: Entry) -> tuple[str, ...]:
    place = f"{store.directory}/blobs/sha256/{entry.manifest[7:]}"
    with open(place, "rb") as opened:
        manifest = decode(opened.read(LARGEST_DOCUMENT), Manifest, place)
    return (entry.manifest, manifest.config.digest, *(layer.digest for layer in manifest.layers or ()))


def claim(store: ImageStore, digits: str) -> Lock | None:
    """The image's own lock, held exclusively; None where a process runs with it: holds the lock, or mounts its files.

    The mounts of every process count, because a Pod that was left running has no podward that could hold a lock.
    """
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


def write_entries(store: ImageStore, entries: tuple[Entry, ...]) -> None:
    """Replace the list of images; the store's lock must be held."""
    replace(f"{store.directory}/index.json", encode_index(entries))


def replace(file: str, content: bytes) -> None:
    """Write a whole file, mode 0600: readers see the old one or the new one."""
    fresh = f"{file}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)
    os.rename(fresh, file)


def remove_tree(directory: str) -> None:
    """Remove a directory and all in it, however deep: coreutils' rm knows how to do that to hostile trees."""
    subprocess.run(("/bin/rm", "-rf", "--one-file-system", "--", directory), check=True)


def last_message(said: bytes) -> str:
    """What a tool said last, taken out of its log's format."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return ""
    _, found, message = lines[-1].partition('msg="')
    if found:
        return message.rpartition('"')[0].replace('\\"', '"').replace("\\\\", "\\")
    return lines[-1].strip()
