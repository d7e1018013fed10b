"""The corpus of charts: what `podward check` finds in it is what a person found, no more and no less."""

from __future__ import annotations

from pathlib import Path as File

import msgspec
import pytest

from podward.api.finding import Finding
from podward.check.judging import judge
from podward.check.policy_set import PolicySet
from podward.cli.checking.reading import read_file
from podward.path import Path
from podward.policy.pss.standard import Level, Standard

CORPUS = File(__file__).parent.parent / "corpus"
CHARTS = CORPUS / "charts"


class Expected(msgspec.Struct, frozen=True):
    """One finding that a person listed."""

    rule: str
    kind: str
    name: str
    container: str
    path: str
    line: int
    fixable: bool


class Chart(msgspec.Struct):
    """What a person found in one file."""

    policy: str
    restricted: list[Expected]
    baseline: list[Expected]
    once_defaulted: list[Expected] = msgspec.field(default_factory=list)


class Charts(msgspec.Struct):
    """The whole list."""

    files: dict[str, Chart]


FILES = msgspec.json.decode((CORPUS / "expected_charts.json").read_bytes(), type=Charts).files
LEVELS = (Level.RESTRICTED, Level.BASELINE)

NO_SECCOMP = [
    "csi-driver.yaml DaemonSet/block-csi-node 38",
    "dind-runner.yaml Deployment/forge-runner 26",
    "django.yaml Deployment/survey 64",
    "elasticsearch.yaml Pod/search-qkzxw-test 183",
    "elasticsearch.yaml StatefulSet/search-master 77",
    "fluent-bit.yaml DaemonSet/logs-fluent-bit 46",
    "gitlab-runner.yaml Deployment/ci-gitlab-runner 74",
    "grafana.yaml Pod/board-grafana-test 154",
    "guestbook.yaml Pod/debug 46",
    "guestbook.yaml ReplicationController/redis-slave 13",
    "istio-sidecar.yaml Deployment/reviews-v2 36",
    "kaniko.yaml Job/kaniko-shop 19",
    "keycloak.json DeploymentConfig/keycloak 103",
    "loki.yaml StatefulSet/loki 117",
    "metallb.yaml DaemonSet/speaker 92",
    "metallb.yaml Deployment/controller 62",
    "mongodb.yaml StatefulSet/mongodb 136",
    "mysql.yaml StatefulSet/mysql 51",
    "node-app.yaml Deployment/frontend 24",
    "node-exporter.yaml DaemonSet/nodes-prometheus-node-exporter 41",
    "pg-backup.yaml CronJob/pg-backup-verify 66",
    "prometheus-operator.yaml Deployment/prometheus-operator 96",
    "prometheus.yaml Deployment/metrics-prometheus-server 94",
    "prometheus.yaml StatefulSet/metrics-alertmanager 137",
    "traefik.yaml Deployment/traefik 105",
    "vault.yaml Deployment/vault-agent-injector 59",
    "vault.yaml StatefulSet/vault 116",
    "wordpress.yaml Deployment/wordpress 48",
]
"""Workloads in which a container that is not privileged has no seccomp profile, its own or the Pod's: each looked at.

What is missing on purpose: cni.yaml, guestbook's frontend and redis.yaml, where only privileged containers lack one,
and node-exporter's Windows Pods. At restricted the policy says all of it already.
"""


def found(file: str, level: Level) -> list[tuple[Finding, str]]:
    """What is found at this level, whatever the file's own namespaces say, with the place in the Pod."""
    read = read_file(str(CHARTS / file))
    assert read.findings == ()
    held = PolicySet({}, Standard(level))
    listed: list[tuple[Finding, str]] = []
    for workload in read.workloads:
        depth = len(workload.source.prefix.segments)
        for finding in judge(workload.source, workload.document, held).findings:
            assert finding.path.startswith(workload.source.prefix)
            listed.append((finding, str(Path(finding.path.segments[depth:]))))
    return listed


def in_words(finding: Finding, place: str, *, fixable: bool) -> Expected:
    about = finding.subject
    return Expected(finding.rule, about.kind, about.name, about.container, place, finding.line, fixable)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("file", FILES)
def test_pod_security_findings_are_those_that_a_person_listed(file: str, level: Level) -> None:
    chart = FILES[file]
    expected = (chart.restricted if level is Level.RESTRICTED else chart.baseline) + chart.once_defaulted
    listed = [
        in_words(finding, place, fixable=bool(finding.changes))
        for finding, place in found(file, level)
        if finding.rule.startswith("pss/")
    ]
    key = msgspec.structs.astuple
    assert sorted(listed, key=key) == sorted(expected, key=key)


def others(level: Level) -> dict[str, list[str]]:
    """What else is found, by rule: file, workload and line of each."""
    by_rule: dict[str, list[str]] = {}
    for file in FILES:
        for finding, _ in found(file, level):
            if not finding.rule.startswith("pss/"):
                about = finding.subject
                by_rule.setdefault(finding.rule, []).append(f"{file} {about.kind}/{about.name} {finding.line}")
    return {rule: sorted(listed) for rule, listed in by_rule.items()}


def test_at_baseline_the_hints_are_those_that_were_reviewed() -> None:
    assert others(Level.BASELINE) == {"hint/seccomp-unset": NO_SECCOMP}


def test_at_restricted_nothing_is_said_twice() -> None:
    assert others(Level.RESTRICTED) == {}


def test_unhindered_by_policies_the_hints_say_what_is_in_vain() -> None:
    vain = others(Level.PRIVILEGED)
    assert vain.pop("hint/seccomp-unset") == NO_SECCOMP
    assert vain == {"hint/capability-without-root": ["vault.yaml StatefulSet/vault 144"]}


@pytest.mark.parametrize("level", LEVELS)
def test_every_finding_says_its_line_its_sentence_and_what_to_do(level: Level) -> None:
    for file in FILES:
        lines = len((CHARTS / file).read_bytes().splitlines())
        for finding, _ in found(file, level):
            assert 1 <= finding.line <= lines
            assert finding.message.endswith(".")
            assert finding.remedy.endswith(".")
            assert finding.file.endswith(file)


def test_a_change_is_offered_with_the_finding_that_it_cures_and_no_other() -> None:
    for finding, _ in found("buildkit-rootless.yaml", Level.RESTRICTED):
        for change in finding.changes:
            assert change.path.startswith(finding.path) or finding.path.startswith(change.path), finding
