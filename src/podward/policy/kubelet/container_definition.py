"""Of which definition a run of a container was made.

Specification (kubelet, `HashContainer`, in our words): what counts is the name and the image; all else of a container
cannot change, or is changed in place. The run has the number of its definition as an annotation.
"""

from __future__ import annotations

from podward.api.core import Container
from podward.api.gotext import quote
from podward.api.pod_seen import HASH, ContainerRun

_OFFSET, _PRIME = 2166136261, 16777619  # FNV-1a, 32 bits


def number(container: Container) -> str:
    """The number of this definition, as the annotation has it."""
    told = f'{{"image":{quote(container.image or "")},"name":{quote(container.name)}}}'
    found = _OFFSET
    for byte in told.encode():
        found = (found ^ byte) * _PRIME & 0xFFFFFFFF
    return f"{found:x}"


def changed(container: Container, run: ContainerRun) -> bool:
    """Whether the run is of another definition; one that does not say so is of this one."""
    made_of = run.status.annotations.get(HASH)
    return made_of is not None and made_of != number(container)
