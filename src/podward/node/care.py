"""What is done with a container that runs. Here nothing is: a container with probes has no verdict."""

from __future__ import annotations

from podward.api.core import Container, Pod
from podward.api.json_value import JsonObject
from podward.node.parts import Verdicts


class NoCare:
    """No probes, and no hooks."""

    def verdicts(self, uid: str, container: str, run: str) -> Verdicts:
        """None."""
        del uid, container, run
        return Verdicts()

    def begin(self, document: JsonObject, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> None:
        """Nothing."""

    def end(self, uid: str, container: str = "") -> None:
        """Nothing."""

    async def post_start(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """Nothing."""
        del pod, container, run, addresses
        return ""

    async def pre_stop(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """Nothing."""
        del pod, container, run, addresses
        return ""
