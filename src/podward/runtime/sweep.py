"""Cleaning up after a Podward that died: Pods whose lock nobody holds and that do not wait to be removed."""

from __future__ import annotations

import os

from msgspec import Struct

from podward.errors import NodeError
from podward.runtime import orphans
from podward.runtime.cgroups import Cgroups
from podward.runtime.state import Lock, State
from podward.runtime.volumes import remove_tree


class Swept(Struct, frozen=True):
    """The ids of the Pods that were removed; and those that could not be, each with why: the next sweep tries again."""

    removed: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def sweep(state: State, cgroups: Cgroups) -> Swept:
    """Remove every abandoned Pod, and what an abandoned work on images left.

    What can't be removed is passed over: no Pod that somebody left may keep others from running.
    """
    removed, left = [], []
    with state.lock():
        for name in os.listdir(state.pods):
            lock = _abandoned(state, name)
            if lock is None:
                continue
            try:
                remove(state, cgroups, name)
                removed.append(name)
            except (NodeError, OSError) as error:
                left.append((name, str(error)))
            finally:
                lock.release()
    _sweep_images(state)
    return Swept(tuple(removed), tuple(left))


def _abandoned(state: State, name: str) -> Lock | None:
    """The lock of a Pod that nobody has any more; the caller holds the state's lock."""
    directory = f"{state.pods}/{name}"
    if os.path.exists(f"{directory}/kept"):
        return None
    try:
        return Lock.attempt(f"{directory}/lock")
    except FileNotFoundError:
        # Directories are made, locked and removed under the state's lock, which we hold: whoever made this one, or was
        # removing it, died between two steps.
        return Lock.wait(f"{directory}/lock") if os.path.isdir(directory) else None
    except NotADirectoryError:
        return None


def remove(state: State, cgroups: Cgroups, pod: str) -> None:
    """End what is left of this Pod's containers and remove all that is known of them.

    The caller holds the state's lock, as everybody does who removes a Pod's directory. Its mounts need no care: they
    were made in the private mount namespace of the process that died, and went with it. The OCI runtime is not asked:
    it may have died in the middle of making a container, and its own state is ours to remove.

    Raises NodeError where something stays; the Pod's directory is the last to go, so that a later sweep finds it.
    """
    directory = f"/{pod}"  # of the state, or where a user namespace sees it: nothing else has this name
    orphans.end(directory, orphans.WAITING)
    cgroups.end_pod(pod)
    orphans.end(directory)  # who waited for a program has reaped it, which has left its cgroup so
    for kind in os.listdir(state.oci):
        for container in os.listdir(f"{state.oci}/{kind}"):
            if container.startswith(f"{pod}-"):
                remove_tree(f"{state.oci}/{kind}/{container}")
    if os.path.exists(f"{state.pods}/{pod}/network.json"):
        from podward.runtime.network import pod as network  # few Pods have one

        network.detach(state, f"{state.pods}/{pod}")
    remove_tree(f"{state.pods}/{pod}")


def _sweep_images(state: State) -> None:
    try:
        abandoned = os.listdir(f"{state.root}/images/tmp")
    except FileNotFoundError:
        return
    if abandoned:
        from podward.runtime.images import staging
        from podward.runtime.images.store import ImageStore

        staging.sweep(ImageStore(state.root))
