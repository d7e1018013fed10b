"""Taking names and images out of the store."""

from __future__ import annotations

from podward.errors import RefusedError
from podward.runtime.images.staging import change, claim, prepare, sweep_locked, write_entries
from podward.runtime.images.store import Entry, ImageStore, StoredImage


def remove(store: ImageStore, names: tuple[str, ...]) -> tuple[str, ...]:
    """Remove these images, and return the ids of those that are gone altogether.

    A name takes only itself away, and the image with the last of its names; an id takes the image with all its names.
    It is all or nothing: raises ImageError for an image that is not here, RefusedError for one that a container runs.
    """
    store.resolve(names[0])  # before the store is made, should there be none
    prepare(store)
    with change(store):
        before = store.entries()
        after = before
        for name in names:
            after = _without(after, store.resolve(name))
        gone = tuple(dict.fromkeys(e.id for e in before if e.id not in {left.id for left in after}))
        for identifier in gone:
            claimed = claim(store, identifier[7:])
            if claimed is None:
                raise RefusedError(
                    "a container is running with this image",
                    where=_names(before, identifier),
                    advice="end the Pod first: `podward ps` lists those that were kept, `podward rm` ends them",
                )
            claimed.release()  # who begins to run it from here on keeps its files: the sweep claims them again
        write_entries(store, after)
        sweep_locked(store)
    return gone


def _without(entries: tuple[Entry, ...], stored: StoredImage) -> tuple[Entry, ...]:
    left = tuple(entry for entry in entries if entry.name != stored.reference)
    if not stored.reference or not any(entry.id == stored.id and _is_tag(entry.name) for entry in left):
        return tuple(entry for entry in left if entry.id != stored.id)
    return left


def _is_tag(name: str) -> bool:
    """Whether a name is one that people gave: digests come along with what was pulled."""
    return bool(name) and "@" not in name


def _names(entries: tuple[Entry, ...], identifier: str) -> str:
    listed = [entry.name for entry in entries if entry.id == identifier and _is_tag(entry.name)]
    return ", ".join(listed) or identifier
