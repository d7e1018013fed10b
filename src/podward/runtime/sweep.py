"""Cleaning up after a Podward that died: Pods whose lock nobody holds and that were not to be kept."""

from __future__ import annotations

import os

from podward.runtime.oci import OciRuntime
from podward.runtime.state import Lock, State
from podward.runtime.volumes import remove_tree


def sweep(state: State, runtime: OciRuntime) -> tuple[str, ...]:
    """Remove every abandoned Pod; returns their ids."""
    swept = []
    with state.lock():
        for name in os.listdir(state.pods):
            lock = _abandoned(state, name)
            if lock is not None:
                remove(state, name, runtime)
                lock.release()
                swept.append(name)
    return tuple(swept)


def _abandoned(state: State, name: str) -> Lock | None:
    directory = f"{state.pods}/{name}"
    if os.path.exists(f"{directory}/kept"):
        return None
    try:
        return Lock.attempt(f"{directory}/lock")
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(state: State, pod: str, runtime: OciRuntime) -> None:
    """End what is left of this Pod's containers and remove its directory.

    The caller holds the state's lock, as everybody does who removes a Pod's directory. Its mounts need no care: they
    were made in the private mount namespace of the process that died, and went with it.
    """
    prefix = f"{pod}-"
    for container in sorted(os.listdir(runtime.state)):
        if container.startswith(prefix):
            runtime.delete(container, state.root)
    remove_tree(f"{state.pods}/{pod}")
