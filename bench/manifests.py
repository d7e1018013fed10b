#!/usr/bin/env python3
"""Manifests as people keep them, as many as wanted: the same for the same seed.

usage: bench/manifests.py DIRECTORY [COUNT [SEED]]

Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, Services and ConfigMaps in the proportions of a cluster's
repository, about 4 KB a file, written as Helm, Kustomize and people write them: comments, `# Source:` heads, quoted and
plain strings, `|` blocks, `[]` and `{}`, lists indented or not, several documents in some files. Nothing in them is
taken from any real chart.
"""

from __future__ import annotations

import argparse
import os
import random
from typing import TYPE_CHECKING

import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT = 2000
SEED = 5

_APPS = ("web", "api", "worker", "cache", "queue", "ledger", "search", "mailer", "gateway", "metrics", "store", "auth")
_TEAMS = ("payments", "platform", "growth", "data", "identity", "logistics")
_REGISTRIES = ("registry.example.com", "quay.example.org/team", "ghcr.example.net/acme", "docker.example.com/library")
# fmt: off
_WORDS = (
    "the", "retry", "timeout", "request", "queue", "must", "not", "drop", "messages", "when", "a", "broker",
    "leaves", "and", "comes", "back", "so", "keep", "it", "above", "two", "minutes", "unless", "upstream",
    "service", "answers", "faster", "than", "that", "in", "which", "case", "see", "our", "runbook", "for",
    "details",
)
# fmt: on


class _Maker:
    """One file's choices: its generator of random numbers, its name, and how its author writes."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311  # the same manifests each time, not secrets
        choose = self.random.choice
        self.app = choose(_APPS)
        self.team = choose(_TEAMS)
        self.name = f"{self.app}-{self.random.randrange(10_000)}"
        self.version = f"{self.random.randrange(9)}.{self.random.randrange(30)}.{self.random.randrange(10)}"
        self.dash = choose(("", "  "))  # lists in line with their key, as Helm and kubectl write them, or indented
        self.quotes = choose(("", '"', '"', "'"))
        self.comments = self.random.random() < 0.7

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def text(self, value: str) -> str:
        return f"{self.quotes}{value}{self.quotes}"

    def sentence(self, least: int, most: int) -> str:
        return " ".join(self.random.choice(_WORDS) for _ in range(self.random.randint(least, most)))

    def remark(self, indent: str) -> Iterator[str]:
        """Now and then a comment line."""
        if self.comments and self.chance(0.35):
            yield f"{indent}# {self.sentence(4, 12)}"

    def items(self, indent: str, blocks: list[list[str]]) -> Iterator[str]:
        """A list of blocks below a key that stands at `indent`."""
        for block in blocks:
            yield f"{indent}{self.dash}- {block[0]}"
            for line in block[1:]:
                yield f"{indent}{self.dash}  {line}"


def manifest(number: int, seed: int = SEED) -> str:
    """The text of manifest `number`."""
    maker = _Maker(f"{seed}/{number}")
    write = maker.random.choices(list(_KINDS), weights=list(_KINDS.values()))[0]
    lines = list(write(maker))
    head: list[str] = []
    if maker.comments:
        head = ["---", f"# Source: {maker.app}/templates/{write.__name__.strip('_')}.yaml"]
    if maker.chance(0.3):
        lines += ["---", *_service(maker)]
    return "\n".join([*head, *lines]) + "\n"


def write_all(directory: str, count: int = COUNT, seed: int = SEED) -> int:
    """Write `count` manifests into `directory`, a hundred to a folder; answers how many bytes that is."""
    total = 0
    for number in range(count):
        folder = f"{directory}/{number // 100:03d}"
        os.makedirs(folder, exist_ok=True)
        data = manifest(number, seed).encode()
        with open(f"{folder}/{number:05d}.yaml", "wb") as file:
            file.write(data)
        total += len(data)
    return total


def _metadata(maker: _Maker, indent: str = "", *, annotated: bool = True) -> Iterator[str]:
    yield f"{indent}metadata:"
    if annotated:
        yield f"{indent}  name: {maker.name}"
        yield f"{indent}  namespace: {maker.team}"
    yield from maker.remark(f"{indent}  ")
    yield f"{indent}  labels:"
    yield f"{indent}    app.kubernetes.io/name: {maker.app}"
    yield f"{indent}    app.kubernetes.io/instance: {maker.name}"
    yield f'{indent}    app.kubernetes.io/version: "{maker.version}"'
    yield f"{indent}    app.kubernetes.io/managed-by: Helm"
    yield f"{indent}    helm.sh/chart: {maker.app}-{maker.version}"
    if annotated and maker.chance(0.6):
        yield f"{indent}  annotations:"
        yield f'{indent}    prometheus.io/scrape: "true"'
        yield f'{indent}    prometheus.io/port: "{maker.random.randint(8000, 9999)}"'
        yield f"{indent}    description: {maker.text(maker.sentence(5, 20))}"
        yield f"{indent}    checksum/config: {maker.random.randbytes(32).hex()}"


def _selector(maker: _Maker, indent: str) -> Iterator[str]:
    yield f"{indent}selector:"
    yield f"{indent}  matchLabels:"
    yield f"{indent}    app.kubernetes.io/name: {maker.app}"
    yield f"{indent}    app.kubernetes.io/instance: {maker.name}"


def _security(maker: _Maker, *, pod: bool) -> Iterator[str]:
    if maker.chance(0.3):
        yield "securityContext: {}"
        return
    yield "securityContext:"
    yield from maker.remark("  ")
    if maker.chance(0.7):
        yield f"  runAsUser: {maker.random.choice((0, 101, 999, 1000, 1001, 65534))}"
    if maker.chance(0.7):
        yield f"  runAsNonRoot: {maker.random.choice(('true', 'true', 'false'))}"
    yield "  seccompProfile:"
    yield "    type: RuntimeDefault"
    if pod:
        yield f"  fsGroup: {maker.random.choice((0, 1000, 2000))}"
        yield f"  supplementalGroups: {maker.random.choice(('[]', '[3000]', '[3000, 4000]'))}"
        return
    yield f"  allowPrivilegeEscalation: {maker.random.choice(('false', 'false', 'true'))}"
    yield "  capabilities:"
    yield "    drop:"
    yield f"    {maker.dash}- {maker.random.choice(('ALL', 'ALL', 'NET_RAW'))}"
    if maker.chance(0.2):
        yield "    add:"
        yield f"    {maker.dash}- {maker.random.choice(('NET_BIND_SERVICE', 'SYS_PTRACE', 'NET_ADMIN'))}"


def _environment(maker: _Maker) -> Iterator[str]:
    blocks: list[list[str]] = []
    for number in range(maker.random.randint(3, 14)):
        name = f"{maker.app.upper()}_{maker.random.choice(_WORDS).upper()}_{number}"
        if maker.chance(0.25):
            secret = ["name: " + name, "valueFrom:", "  secretKeyRef:", f"    name: {maker.name}-secret"]
            blocks.append([*secret, f"    key: {name.lower().replace('_', '-')}"])
        else:
            value = maker.random.choice(
                (
                    maker.sentence(1, 6),
                    str(maker.random.randrange(100_000)),
                    "true",
                    f"https://{maker.name}.svc:8443/v1",
                )
            )
            blocks.append([f"name: {name}", f'value: "{value}"'])
    yield "env:"
    yield from maker.items("", blocks)


def _probe(maker: _Maker, name: str) -> Iterator[str]:
    yield f"{name}:"
    yield "  httpGet:"
    yield f"    path: {maker.random.choice(('/healthz', '/ready', '/'))}"
    yield f"    port: {maker.random.choice(('http', '8080'))}"
    yield f"  initialDelaySeconds: {maker.random.randint(1, 60)}"
    yield "  periodSeconds: 10"


def _container(maker: _Maker, name: str) -> list[str]:
    lines = [f"name: {name}", *_security(maker, pod=False)]
    image = f"{maker.random.choice(_REGISTRIES)}/{maker.app}:{maker.version}"
    lines += [f"image: {maker.text(image)}", "imagePullPolicy: IfNotPresent"]
    if maker.chance(0.4):
        lines += ['command: ["/bin/sh", "-c"]', "args:"]
        script = [f"|{maker.random.choice(('', '-'))}", "  set -eu"]
        script += [
            f"  echo '{maker.sentence(3, 9)}' # {maker.sentence(2, 4)}" for _ in range(maker.random.randint(2, 6))
        ]
        lines += maker.items("", [[*script, f"  exec {maker.app} --port=8080"]])
    else:
        flags = [f"--{maker.random.choice(_WORDS)}={maker.random.randrange(1000)}" for _ in range(4)]
        lines += ["args:", *maker.items("", [[flag] for flag in flags])]
    lines += ["ports:", *maker.items("", [["name: http", "containerPort: 8080", "protocol: TCP"]])]
    lines += _environment(maker)
    if name != "init":  # of one that ends before the others start, the API server wants no probes
        lines += [*_probe(maker, "livenessProbe"), *_probe(maker, "readinessProbe")]
    lines += ["resources:", "  limits:", f"    cpu: {maker.random.choice(('500m', '1', '2'))}", "    memory: 512Mi"]
    lines += ["  requests:", "    cpu: 100m", f"    memory: {maker.random.choice(('64Mi', '128Mi'))}"]
    mounts = [["name: config", "mountPath: /etc/app", "readOnly: true"], ["name: tmp", "mountPath: /tmp"]]
    return [*lines, "volumeMounts:", *maker.items("", mounts)]


def _pod(maker: _Maker, indent: str, restart: str) -> Iterator[str]:
    yield f"{indent}spec:"
    inner = f"{indent}  "
    for line in _security(maker, pod=True):
        yield inner + line
    yield f"{inner}serviceAccountName: {maker.name}"
    yield f"{inner}restartPolicy: {restart}"
    yield from maker.remark(inner)
    if maker.chance(0.3):
        yield f"{inner}initContainers:"
        yield from maker.items(inner, [_container(maker, "init")])
    yield f"{inner}containers:"
    sidecars = [_container(maker, "proxy")] if maker.chance(0.2) else []
    yield from maker.items(inner, [_container(maker, maker.app), *sidecars])
    yield f"{inner}volumes:"
    volumes = [["name: config", "configMap:", f"  name: {maker.name}-config", "  defaultMode: 0440"]]
    if maker.chance(0.15):
        volumes.append(["name: logs", "hostPath:", "  path: /var/log", "  type: Directory"])
    yield from maker.items(inner, [*volumes, ["name: tmp", "emptyDir: {}"]])
    if maker.chance(0.4):
        yield f"{inner}nodeSelector:"
        yield f"{inner}  kubernetes.io/os: linux"
    if maker.chance(0.3):
        yield f"{inner}tolerations: []"


def _template(maker: _Maker, indent: str, restart: str) -> Iterator[str]:
    yield f"{indent}template:"
    yield from _metadata(maker, f"{indent}  ", annotated=False)
    yield from _pod(maker, f"{indent}  ", restart)


def _deployment(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: apps/v1", "kind: Deployment", *_metadata(maker), "spec:")
    yield f"  replicas: {maker.random.randint(1, 5)}"
    yield from (*_selector(maker, "  "), "  strategy:", "    type: RollingUpdate", "    rollingUpdate:")
    yield from ("      maxSurge: 25%", "      maxUnavailable: 0")
    yield from _template(maker, "  ", "Always")


def _statefulset(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: apps/v1", "kind: StatefulSet", *_metadata(maker), "spec:")
    yield from (f"  serviceName: {maker.name}", *_selector(maker, "  "))
    yield from _template(maker, "  ", "Always")
    yield "  volumeClaimTemplates:"
    claim = ["metadata:", "  name: data", "spec:", '  accessModes: ["ReadWriteOnce"]', "  resources:", "    requests:"]
    yield from maker.items("  ", [[*claim, f"      storage: {maker.random.randint(1, 50)}Gi"]])


def _daemonset(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: apps/v1", "kind: DaemonSet", *_metadata(maker), "spec:", *_selector(maker, "  "))
    yield from _template(maker, "  ", "Always")


def _job(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: batch/v1", "kind: Job", *_metadata(maker), "spec:", "  backoffLimit: 3")
    yield from _template(maker, "  ", "Never")


def _cronjob(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: batch/v1", "kind: CronJob", *_metadata(maker), "spec:")
    yield from ('  schedule: "*/5 * * * *"', "  concurrencyPolicy: Forbid", "  jobTemplate:", "    spec:")
    yield from _template(maker, "      ", "OnFailure")


def _service(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: v1", "kind: Service", *_metadata(maker), "spec:", "  type: ClusterIP", "  ports:")
    yield from maker.items("  ", [["port: 80", "targetPort: http", "protocol: TCP", "name: http"]])
    yield from (
        "  selector:",
        f"    app.kubernetes.io/name: {maker.app}",
        f"    app.kubernetes.io/instance: {maker.name}",
    )


def _configmap(maker: _Maker) -> Iterator[str]:
    yield from ("apiVersion: v1", "kind: ConfigMap", *_metadata(maker), "data:")
    for number in range(maker.random.randint(1, 3)):
        yield f"  {maker.app}-{number}.conf: |"
        for _ in range(maker.random.randint(10, 45)):
            yield f"    {maker.random.choice(_WORDS)}.{maker.random.choice(_WORDS)} = {maker.sentence(1, 8)}"
            if maker.chance(0.1):
                yield ""
    yield f'  LOG_LEVEL: "{maker.random.choice(("debug", "info", "warn"))}"'


_KINDS: dict[Callable[[_Maker], Iterator[str]], int] = {
    _deployment: 45,
    _statefulset: 12,
    _daemonset: 8,
    _job: 8,
    _cronjob: 9,
    _service: 6,
    _configmap: 12,
}


def main() -> None:
    """Write the manifests that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=arguments.name, metavar="DIRECTORY", help="where to write them")
    parser.add_argument("count", type=arguments.count, nargs="?", default=COUNT, metavar="COUNT")
    parser.add_argument("seed", type=int, nargs="?", default=SEED, metavar="SEED")
    args = parser.parse_args()
    print(f"{args.count} files, {write_all(args.directory, args.count, args.seed):,} bytes")


if __name__ == "__main__":
    main()
