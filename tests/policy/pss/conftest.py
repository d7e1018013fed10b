"""Random Pods with everything that the checks look at, and Pods written in a line."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from podward.api.core import Pod
from podward.api.json_value import JsonObject
from podward.schema.view import pod_view

CAPABILITIES = ("ALL", "all", "NET_BIND_SERVICE", "CHOWN", "SYS_ADMIN", "CAP_CHOWN", "NET_RAW", "")
TYPES = ("RuntimeDefault", "Localhost", "Unconfined", "runtime/default", "", None)
SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_notsent_lowat",
    "kernel.msgmax",
    "kernel/shm_rmid_forced",
)
SOURCES = ("emptyDir", "configMap", "secret", "csi", "ephemeral", "image", "hostPath", "nfs", "gitRepo", "storageos")
ANNOTATIONS = {
    "container.apparmor.security.beta.kubernetes.io/": ("runtime/default", "localhost/x", "unconfined", "", 'a"b'),
    "container.seccomp.security.alpha.kubernetes.io/": ("runtime/default", "docker/default", "unconfined", ""),
}


class Maker:
    """Makes raw Pods. About every other field is left out, so that each check passes often enough."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def some(self, made: dict[str, Callable[[], Any]]) -> JsonObject:
        return {name: make() for name, make in made.items() if self.chance.random() < 0.3}

    def flag(self) -> bool | None:
        return self.chance.choice((True, False, None))

    def profile(self) -> JsonObject:
        return self.some({"type": lambda: self.chance.choice(TYPES)})

    def shared_context(self) -> JsonObject:
        return self.some(
            {
                "runAsNonRoot": self.flag,
                "runAsUser": lambda: self.chance.choice((0, 1000, None)),
                "seccompProfile": self.profile,
                "appArmorProfile": self.profile,
                "seLinuxOptions": lambda: self.some(
                    {
                        "type": lambda: self.chance.choice(("container_t", "container_engine_t", "spc_t", "")),
                        "user": lambda: self.chance.choice(("u", "")),
                        "role": lambda: self.chance.choice(("r", "")),
                        "level": lambda: "s0:c1,c2",
                    }
                ),
                "windowsOptions": lambda: self.some({"hostProcess": self.flag}),
            }
        )

    def context(self) -> JsonObject:
        own = self.some(
            {
                "privileged": self.flag,
                "allowPrivilegeEscalation": self.flag,
                "procMount": lambda: self.chance.choice(("Default", "Unmasked", "")),
                "capabilities": lambda: self.some(
                    {
                        "add": lambda: self.chance.choices(CAPABILITIES, k=self.chance.randrange(4)),
                        "drop": lambda: self.chance.choices(CAPABILITIES, k=self.chance.randrange(3)),
                    }
                ),
            }
        )
        return self.shared_context() | own

    def handler(self) -> JsonObject:
        host = self.chance.choice(("", "10.0.0.1", "metadata", None))
        return {self.chance.choice(("httpGet", "tcpSocket")): {"port": 80, "host": host}}

    def container(self, name: str) -> JsonObject:
        made = self.some(
            {
                "securityContext": self.context,
                "ports": lambda: [
                    self.some({"hostPort": lambda: self.chance.choice((0, 80, 443, 10256))}) | {"containerPort": port}
                    for port in range(1, self.chance.randrange(1, 4))
                ],
                "livenessProbe": self.handler,
                "startupProbe": self.handler,
                "lifecycle": lambda: self.some({"postStart": self.handler, "preStop": self.handler}),
            }
        )
        return {"name": name, "image": "i", **made}

    def volume(self, name: str) -> JsonObject:
        sources = self.chance.sample(SOURCES, k=self.chance.choice((0, 1, 1, 1, 1)))
        return {"name": name, **{source: {"path": "/etc"} if source == "hostPath" else {} for source in sources}}

    def pod(self) -> JsonObject:
        names = iter(self.chance.sample(["a", "b", "c", 'd"', "web", "log-1"], k=6))
        spec: JsonObject = self.some(
            {
                "hostNetwork": self.flag,
                "hostPID": self.flag,
                "hostIPC": self.flag,
                "hostUsers": self.flag,
                "os": lambda: {"name": self.chance.choice(("linux", "windows"))},
                "securityContext": lambda: (
                    self.shared_context()
                    | self.some(
                        {
                            "sysctls": lambda: [
                                {"name": name, "value": "1"}
                                for name in self.chance.choices(SYSCTLS, k=self.chance.randrange(4))
                            ]
                        }
                    )
                ),
                "volumes": lambda: [self.volume(f"v{i}") for i in range(self.chance.randrange(4))],
                "initContainers": lambda: [self.container(next(names))],
                "ephemeralContainers": lambda: [self.container(next(names))],
            }
        )
        spec["containers"] = [self.container(next(names)) for _ in range(self.chance.randrange(1, 3))]
        annotations: JsonObject = {
            prefix + self.chance.choice(("web", "a", "b", "none")): self.chance.choice(values)
            for prefix, values in ANNOTATIONS.items()
            if self.chance.random() < 0.3
        }
        return {"metadata": {"name": "p", "annotations": annotations}, "spec": spec}


@pytest.fixture
def random_pods() -> Callable[[int, int], list[JsonObject]]:
    """So many random raw Pods, made from a seed."""

    def make(seed: int, count: int) -> list[JsonObject]:
        maker = Maker(Random(seed))  # noqa: S311  # chosen questions, not secrets
        return [maker.pod() for _ in range(count)]

    return make


@pytest.fixture
def pod() -> Callable[..., Pod]:
    """A Pod of one container `c` with this security context, and these fields of the spec."""

    def make(context: JsonObject | None = None, **spec: Any) -> Pod:  # noqa: ANN401  # any JSON
        container: JsonObject = {"name": "c"} if context is None else {"name": "c", "securityContext": context}
        annotations = spec.pop("annotations", {})
        return pod_view(
            {"metadata": {"name": "p", "annotations": annotations}, "spec": {"containers": [container], **spec}}
        )

    return make
