"""SCCs and Pods written in a line, and random ones that get into every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias, TypeVar

import pytest

from podward.api.core import Namespace, ObjectMeta
from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE, NamespaceRanges, read
from podward.policy.scc.provider import Provider, build
from podward.schema.scc.reading import scc_view
from podward.schema.view import pod_view

T = TypeVar("T")
Decide: TypeAlias = Callable[..., Decision]
Cases: TypeAlias = Callable[[int, int], Iterator[tuple[Provider, JsonObject]]]

PERMISSIVE: JsonObject = {
    "metadata": {"name": "mine"},
    "runAsUser": {"type": "RunAsAny"},
    "seLinuxContext": {"type": "RunAsAny"},
    "fsGroup": {"type": "RunAsAny"},
    "supplementalGroups": {"type": "RunAsAny"},
    "seccompProfiles": ["*"],
    "volumes": ["*"],
    "allowedCapabilities": ["*"],
    "allowedUnsafeSysctls": ["*"],
    "allowHostNetwork": True,
    "allowHostPID": True,
    "allowHostIPC": True,
    "allowHostPorts": True,
    "allowPrivilegedContainer": True,
}
"""An SCC that sets and refuses nothing, so that a test sees one rule at work; but runAsNonRoot is set by every SCC."""


def ranges(uids: str = "1000/10", level: str = "s0:c1,c0", groups: str | None = None) -> NamespaceRanges:
    """What a namespace with these annotations sets aside."""
    annotations: dict[str, str | None] = {UID_RANGE: uids, MCS: level}
    if groups is not None:
        annotations[SUPPLEMENTAL_GROUPS] = groups
    made = read(Namespace(ObjectMeta(name="team-a", annotations=annotations)))
    assert isinstance(made, NamespaceRanges)
    return made


@pytest.fixture(name="provide")
def _provide() -> Callable[..., Provider | str]:
    """The provider of a permissive SCC with these fields changed, in a namespace with these annotations."""

    def provide(scc: JsonObject | None = None, **annotations: str) -> Provider | str:
        return build(scc_view({**PERMISSIVE, **(scc or {})}), ranges(**annotations))

    return provide


@pytest.fixture(name="decide")
def _decide(provide: Callable[..., Provider | str]) -> Decide:
    """What such an SCC decides about a Pod of this spec and these annotations."""

    def decide(scc: JsonObject, spec: JsonObject, notes: dict[str, str] | None = None, **annotations: str) -> Decision:
        provider = provide(scc, **annotations)
        assert isinstance(provider, Provider)
        raw: JsonObject = {"metadata": {"name": "p", "annotations": dict(notes or {})}, "spec": spec}
        return provider.decide(pod_view(raw))

    return decide


@pytest.fixture(name="random_cases")
def _random_cases() -> Cases:
    """Providers of random SCCs, each with a random Pod."""

    def random_cases(seed: int, count: int) -> Iterator[tuple[Provider, JsonObject]]:
        maker = Maker(Random(seed))  # noqa: S311  # the same cases every time
        for _ in range(count):
            uids = maker.one("1000/10", "0/0", "10-5")
            provider = build(scc_view(maker.scc()), ranges(uids, groups=maker.one(None, "5/2,1000-1001", "10-5")))
            assert isinstance(provider, Provider)
            yield provider, maker.pod()

    return random_cases


CAPABILITIES = ("ALL", "KILL", "MKNOD", "NET_ADMIN", "CAP_SYS_ADMIN", "SYS_ADMIN", "kill")
PROFILES = ("runtime/default", "docker/default", "unconfined", "localhost/a", "localhost/", "x", "", "*", "localhost/*")
UIDS = (0, 1, 999, 1000, 1009, 1010, -1)
SYSCTLS = ("kernel.msgmax", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_rmem", 'x"y')
SOURCES = ("secret", "configMap", "emptyDir", "projected", "hostPath", "flexVolume", "cephfs", "storageos", "nfs")


class Maker:
    """Makes raw SCCs and Pods; each optional field is there in a third of them."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def one(self, *choices: T) -> T:
        return self.chance.choice(choices)

    def few(self, *choices: T) -> list[T]:
        return [self.chance.choice(choices) for _ in range(self.chance.randint(0, 3))]

    def some(self, made: dict[str, Callable[[], Any]]) -> dict[str, Any]:
        return {name: make() for name, make in made.items() if self.chance.random() < 0.35}

    def flag(self) -> bool:
        return self.chance.random() < 0.5

    def label(self) -> dict[str, Any]:
        levels = ("s0:c1,c0", "s0:c0,c1", "s0", "s1:c0,c1", "")
        return self.some({"level": lambda: self.one(*levels), "type": lambda: self.one("t", ""), "user": lambda: "u"})

    def groups(self) -> dict[str, Any]:
        one_range = self.some({"min": lambda: self.one(*UIDS), "max": lambda: self.one(*UIDS)})
        return {"type": self.one("MustRunAs", "RunAsAny"), "ranges": self.one(None, [], [one_range])}

    def scc(self) -> dict[str, Any]:
        kind = self.one("MustRunAs", "MustRunAsRange", "MustRunAsNonRoot", "RunAsAny")
        flags = (
            "allowPrivilegedContainer", "allowHostNetwork", "allowHostPorts", "allowHostPID", "allowHostIPC",
            "readOnlyRootFilesystem", "allowPrivilegeEscalation", "defaultAllowPrivilegeEscalation",
        )  # fmt: skip
        return {
            "metadata": {"name": "random"},
            "runAsUser": {"type": kind, "uid": self.one(*UIDS)},
            "seLinuxContext": {
                "type": self.one("MustRunAs", "RunAsAny"),
                "seLinuxOptions": self.one(None, self.label()),
            },
            "fsGroup": self.groups(),
            "supplementalGroups": self.groups(),
            **self.some(dict.fromkeys(flags, self.flag)),
            **self.some(
                {
                    "defaultAddCapabilities": lambda: self.few(*CAPABILITIES),
                    "requiredDropCapabilities": lambda: self.few(*CAPABILITIES),
                    "allowedCapabilities": lambda: self.few(*CAPABILITIES, "*"),
                    "seccompProfiles": lambda: self.few(*PROFILES),
                    "userNamespaceLevel": lambda: "RequirePodLevel",
                    "allowedUnsafeSysctls": lambda: self.few(*SYSCTLS, "*", "net.*"),
                    "forbiddenSysctls": lambda: self.few(*SYSCTLS, "*", "net.*"),
                    "volumes": lambda: self.few(*SOURCES, "flexVolume", "*", "*"),
                    "allowedFlexVolumes": lambda: [{"driver": "a"}],
                }
            ),
        }

    def profile(self) -> dict[str, Any]:
        return self.some({"type": lambda: self.one("RuntimeDefault", "Unconfined", "Localhost", "x")}) | self.some(
            {"localhostProfile": lambda: self.one("a", "")}
        )

    def container(self, name: str) -> dict[str, Any]:
        shared = {"runAsNonRoot": self.flag, "seLinuxOptions": self.label, "seccompProfile": self.profile}
        capabilities = {"add": lambda: self.few(*CAPABILITIES), "drop": lambda: self.few(*CAPABILITIES)}
        context = {
            "runAsUser": lambda: self.one(*UIDS),
            **shared,
            "privileged": self.flag,
            "readOnlyRootFilesystem": self.flag,
            "allowPrivilegeEscalation": self.flag,
            "capabilities": lambda: self.some(capabilities),
        }
        ports = {"ports": lambda: [{"containerPort": 1, "hostPort": self.one(0, 80, 81)}]}
        return {"name": name, **self.some({"securityContext": lambda: self.some(context)}), **self.some(ports)}

    def volume(self) -> dict[str, Any]:
        kind = self.one(*SOURCES)
        source = {"driver": self.one("a", "b")} if kind == "flexVolume" else {"path": "/"} if kind == "hostPath" else {}
        return {"name": "v", kind: source}

    def pod(self) -> dict[str, Any]:
        context = {
            "runAsUser": lambda: self.one(*UIDS),
            "runAsNonRoot": self.flag,
            "fsGroup": lambda: self.one(*UIDS),
            "supplementalGroups": lambda: self.few(*UIDS),
            "seLinuxOptions": self.label,
            "seccompProfile": self.profile,
            "sysctls": lambda: [{"name": name, "value": "1"} for name in self.few(*SYSCTLS)],
        }
        keys = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/c0")
        return {
            "metadata": {"name": "p", "annotations": self.some(dict.fromkeys(keys, lambda: self.one(*PROFILES)))},
            "spec": {
                "containers": [self.container(f"c{index}") for index in range(self.chance.randint(1, 2))],
                "initContainers": [self.container("i0")][: self.chance.randint(0, 1)],
                "ephemeralContainers": [self.container("e0")][: self.chance.randint(0, 1)],
                "securityContext": self.some(context),
                **self.some(dict.fromkeys(("hostNetwork", "hostPID", "hostIPC", "hostUsers"), self.flag)),
                **self.some({"volumes": lambda: [self.volume()]}),
            },
        }
