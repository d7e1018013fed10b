"""Who is asked before a verb of the lifecycle is done, and told after it: NRI's place.

The hooks are a list in the order in which they are asked. One may change what is asked, or refuse it; the others see
what became of it. After the verb all of them are told, in the same order, what was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal

VERBS = frozenset(
    (
        "RunPodSandbox",
        "StopPodSandbox",
        "RemovePodSandbox",
        "UpdatePodSandboxResources",
        "CreateContainer",
        "StartContainer",
        "UpdateContainerResources",
        "StopContainer",
        "RemoveContainer",
    )
)
"""The verbs that hooks are asked about."""

Request = TypeVar("Request", bound=Message)


class Hook(Protocol):
    """One of them."""

    async def before(self, verb: str, request: Request) -> Request | CriRefusal:
        """What is to be done instead of this request: the same, a changed one, or nothing."""

    async def after(self, verb: str, request: Message, response: Message) -> None:
        """It was done, and this was answered. Raises nothing."""


class Hooks:
    """All of them."""

    def __init__(self, hooks: Sequence[Hook] = ()) -> None:
        self._hooks = tuple(hooks)

    async def before(self, verb: str, request: Request) -> Request | CriRefusal:
        """What is left of the request when all have been asked."""
        for hook in self._hooks if verb in VERBS else ():
            changed = await hook.before(verb, request)
            if isinstance(changed, CriRefusal):
                return changed
            request = changed
        return request

    async def after(self, verb: str, request: Message, response: Message) -> None:
        """Tell all of them."""
        for hook in self._hooks if verb in VERBS else ():
            await hook.after(verb, request, response)
