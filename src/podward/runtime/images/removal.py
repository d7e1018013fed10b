"""Removing images: `podward image rm`, which refuses one in use, and `prune`; CRI's RemoveImage, which never does."""

from __future__ import annotations

from podward.errors import RefusedError
from podward.runtime.images.staging import discard, lock_unused, make_store, set_aside, store_lock, write_entries
from podward.runtime.images.store import ImageStore, IndexEntry, StoredImage


def remove(store: ImageStore, names: tuple[str, ...]) -> tuple[str, ...]:
    """Remove these names and images; returns the ids of the images that are removed with all their names.

    Removing a name removes the image only if it is the image's last name. Removing an id removes the image with all its
    names. Either all are removed or none: raises ImageError for an image that is not here, RefusedError for an image
    that a container runs.
    """
    store.resolve(names[0])  # raises before an empty store is made
    make_store(store)
    with store_lock(store):
        before = store.entries()
        after = before
        for name in names:
            after = _without(after, store.resolve(name))
        gone = tuple(dict.fromkeys(e.id for e in before if e.id not in {left.id for left in after}))
        for identifier in gone:
            lock = lock_unused(store, identifier[7:])
            if lock is None:
                raise RefusedError(
                    "a container is running with this image",
                    where=_names(before, identifier),
                    advice="end the Pod first: `podward ps` lists those that were kept, `podward rm` ends them",
                )
            lock.release()  # a container that starts from here on keeps its files: the sweep locks them again
        write_entries(store, after)
        doomed = set_aside(store)
    discard(doomed)
    return gone


def forget(store: ImageStore, name: str) -> None:
    """Remove the image with this name, digest or id, with all its names; does nothing if it is not here.

    The files that a container uses stay until it has let go.
    """
    if store.find(name) is None:
        return
    with store_lock(store):
        found = store.find(name)
        if found is None:
            return
        write_entries(store, tuple(entry for entry in store.entries() if entry.id != found.id))
        doomed = set_aside(store)
    discard(doomed)


def collect(store: ImageStore) -> tuple[str, ...]:
    """Remove images without a name that nobody uses, and all else that nothing holds; returns the ids of the images."""
    if not store.entries():
        return ()
    make_store(store)
    with store_lock(store):
        before = store.entries()
        gone = tuple(entry.id for entry in before if not entry.name and _is_unused(store, entry.id))
        write_entries(store, tuple(entry for entry in before if entry.id not in gone))
        doomed = set_aside(store)
    discard(doomed)
    return gone


def _is_unused(store: ImageStore, identifier: str) -> bool:
    lock = lock_unused(store, identifier[7:])
    if lock is not None:
        lock.release()
    return lock is not None


def _without(entries: tuple[IndexEntry, ...], stored: StoredImage) -> tuple[IndexEntry, ...]:
    left = tuple(entry for entry in entries if entry.name != stored.reference)
    if not stored.reference or not any(entry.id == stored.id and _is_tag(entry.name) for entry in left):
        return tuple(entry for entry in left if entry.id != stored.id)
    return left


def _is_tag(name: str) -> bool:
    """Whether a name is one that a person gave; names with digests come with pulled images."""
    return bool(name) and "@" not in name


def _names(entries: tuple[IndexEntry, ...], identifier: str) -> str:
    listed = [entry.name for entry in entries if entry.id == identifier and _is_tag(entry.name)]
    return ", ".join(listed) or identifier
