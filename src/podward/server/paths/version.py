"""`/version`."""

from __future__ import annotations

import platform

from podward.api.version import GIT_VERSION, KUBERNETES
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Parts


async def handle(_parts: Parts, request: Request) -> Answer:
    """Which version of Kubernetes is imitated."""
    major, _, minor = KUBERNETES.partition(".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return document_reply(
        request,
        200,
        {
            "major": major,
            "minor": minor,
            "emulationMajor": major,
            "emulationMinor": minor,
            "minCompatibilityMajor": major,
            "minCompatibilityMinor": str(int(minor) - 1),
            "gitVersion": GIT_VERSION,
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "",
            "platform": f"linux/{machine}",
        },
    )
