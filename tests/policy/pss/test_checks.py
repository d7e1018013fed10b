"""What each check says, and at which fields, where recorded answers are rare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from podward.api.core import Pod
from podward.policy.pss.check import CheckResult
from podward.policy.pss.standard import LATEST, Level, Version
from podward.policy.pss.standards import evaluate

MakePod = Callable[..., Pod]
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
SET = "spec.containers[0].securityContext"


def of(check: str, made: Pod, version: Version = LATEST, level: Level = Level.BASELINE) -> CheckResult:
    return next(result for result in evaluate(level, version, made) if result.check == check)


def names(made: Pod, level: Level = Level.BASELINE, version: Version = LATEST) -> set[str]:
    return {result.check for result in evaluate(level, version, made)}


def places(result: CheckResult) -> list[str]:
    return [str(violation.path) for violation in result.decision.violations]


def test_app_armor_counts_values_and_quotes_annotations_as_go_does(pod: MakePod) -> None:
    bad = pod(
        {"appArmorProfile": {"type": "Unconfined"}},
        securityContext={"appArmorProfile": {"type": "Unconfined"}},
        annotations={APP_ARMOR: "bogus", APP_ARMOR + "x": 'a"b', APP_ARMOR + "c": "", APP_ARMOR + "d": "localhost/"},
    )
    result = of("appArmorProfile", bad)
    assert result.reason == "forbidden AppArmor profiles"
    assert result.detail == (
        'pod and container "c" and annotations must not set AppArmor profile type to '
        f'"Unconfined", "{APP_ARMOR}="bogus"", "{APP_ARMOR}x="a\\"b""'
    )
    assert places(result) == [
        "spec.securityContext.appArmorProfile.type",
        f"{SET}.appArmorProfile.type",
        f"metadata.annotations[{APP_ARMOR}]",
        f"metadata.annotations[{APP_ARMOR}x]",
    ]


def test_one_value_on_many_is_a_single_profile(pod: MakePod) -> None:
    bad = pod({"appArmorProfile": {}}, securityContext={"appArmorProfile": {}})
    result = of("appArmorProfile", bad)
    assert (result.reason, result.detail) == (
        "forbidden AppArmor profile",
        'pod and container "c" must not set AppArmor profile type to ""',
    )


def test_app_armor_annotations_are_sorted_as_they_print(pod: MakePod) -> None:
    bad = pod(annotations={APP_ARMOR + "c": "unconfined", APP_ARMOR + "c-1": "unconfined"})
    assert of("appArmorProfile", bad).detail == (
        f'annotations must not set AppArmor profile type to "{APP_ARMOR}c-1="unconfined"", "{APP_ARMOR}c="unconfined""'
    )


def test_seccomp_annotations_count_for_containers_that_there_are_and_before_1_19(pod: MakePod) -> None:
    bad = pod(
        annotations={
            SECCOMP + "c": "unconfined",
            SECCOMP + "gone": "unconfined",
            "seccomp.security.alpha.kubernetes.io/pod": "",
        }
    )
    result = of("seccompProfile_baseline", bad, Version(18))
    assert result.detail == (
        f'forbidden annotations {SECCOMP}c="unconfined", seccomp.security.alpha.kubernetes.io/pod=""'
    )
    assert of("seccompProfile_baseline", bad, Version(18), Level.RESTRICTED) == result
    assert not names(bad, version=Version(19))


def test_seccomp_fields_do_not_count_before_1_19(pod: MakePod) -> None:
    assert not names(pod({"seccompProfile": {"type": "Unconfined"}}), version=Version(18))
    assert of("seccompProfile_baseline", pod({"seccompProfile": {}}), Version(19)).detail == (
        'container "c" must not set securityContext.seccompProfile.type to ""'
    )


def test_whoever_sets_a_bad_seccomp_profile_hides_who_sets_none(pod: MakePod) -> None:
    bad = pod({"seccompProfile": {"type": "Unconfined"}}, initContainers=[{"name": "i"}])
    result = of("seccompProfile_restricted", bad, level=Level.RESTRICTED)
    assert result.detail == 'container "c" must not set securityContext.seccompProfile.type to "Unconfined"'
    assert places(result) == [f"{SET}.seccompProfile.type", "spec.securityContext.seccompProfile.type"]


def test_run_as_non_root_false_on_the_pod_fails_whatever_containers_say(pod: MakePod) -> None:
    bad = pod({"runAsNonRoot": True}, securityContext={"runAsNonRoot": False})
    result = of("runAsNonRoot", bad, level=Level.RESTRICTED)
    assert result.detail == "pod must not set securityContext.runAsNonRoot=false"
    assert places(result) == ["spec.securityContext.runAsNonRoot"]


def test_missing_run_as_non_root_is_one_violation_on_the_pod(pod: MakePod) -> None:
    result = of("runAsNonRoot", pod(initContainers=[{"name": "i"}]), level=Level.RESTRICTED)
    assert result.detail == 'pod or containers "i", "c" must set securityContext.runAsNonRoot=true'
    assert places(result) == ["spec.securityContext.runAsNonRoot"]


@pytest.mark.parametrize("check", ["runAsNonRoot", "runAsUser"])
def test_user_namespaces_relax_who_may_be_root_since_1_35(check: str, pod: MakePod) -> None:
    root = pod({"runAsUser": 0}, hostUsers=False)
    assert check in names(root, Level.RESTRICTED, Version(34))
    assert check not in names(root, Level.RESTRICTED, Version(35))
    assert check in names(pod({"runAsUser": 0}, hostUsers=True), Level.RESTRICTED)
    assert check in names(pod({"runAsUser": 0}), Level.RESTRICTED)


def test_an_unmasked_proc_is_for_user_namespaces_at_baseline_only(pod: MakePod) -> None:
    unmasked = pod({"procMount": "Unmasked"}, hostUsers=False)
    assert "procMount" in names(unmasked, version=Version(34))
    assert not names(unmasked, version=Version(35))
    assert "procMount" in names(unmasked, Level.RESTRICTED, Version(34))
    assert "procMount_restricted" in names(unmasked, Level.RESTRICTED, Version(35))


@pytest.mark.parametrize("value", ["", "default", "Unmasked"])
def test_any_other_proc_mount_than_default_fails(value: str, pod: MakePod) -> None:
    result = of("procMount", pod({"procMount": value}))
    assert result.detail == f'container "c" must not set securityContext.procMount to "{value}"'
    assert not names(pod({"procMount": "Default"}))


def test_windows_is_exempt_since_1_25_from_what_only_linux_has(pod: MakePod) -> None:
    bad = {"capabilities": {"add": ["SYS_ADMIN"]}, "seccompProfile": {"type": "Unconfined"}, "runAsNonRoot": True}
    windows = pod(bad, os={"name": "windows"})
    assert names(windows, Level.RESTRICTED, Version(25)) == set()
    assert names(windows, Level.BASELINE, Version(25)) == {"capabilities_baseline", "seccompProfile_baseline"}
    restricted = {"allowPrivilegeEscalation", "capabilities_restricted", "seccompProfile_restricted"}
    assert names(windows, Level.RESTRICTED, Version(24)) == restricted
    assert names(pod(bad, os={"name": "linux"}), Level.RESTRICTED) == restricted


def test_capabilities_are_compared_as_they_are_written(pod: MakePod) -> None:
    for odd in ("CAP_CHOWN", "chown", "ALL", ""):
        assert of("capabilities_baseline", pod({"capabilities": {"add": ["CHOWN", odd]}})).detail == (
            f'container "c" must not include "{odd}" in securityContext.capabilities.add'
        )
    for drop in (["all"], ["CAP_ALL"], []):
        context = {"capabilities": {"drop": drop}, "allowPrivilegeEscalation": False}
        assert "capabilities_restricted" in names(pod(context), Level.RESTRICTED)


def test_both_sentences_about_capabilities_are_joined(pod: MakePod) -> None:
    result = of("capabilities_restricted", pod({"capabilities": {"add": ["B", "A", "B"]}}), level=Level.RESTRICTED)
    assert result.detail == (
        'container "c" must set securityContext.capabilities.drop=["ALL"]; '
        'container "c" must not include "A", "B" in securityContext.capabilities.add'
    )
    assert places(result) == [f"{SET}.capabilities.{place}" for place in ("drop", "add[0]", "add[1]", "add[2]")]


def test_host_ports_are_sorted_as_text(pod: MakePod) -> None:
    ports = [{"containerPort": 1, "hostPort": port} for port in (443, 10256, 80, 0, 443)]
    result = of("hostPorts", pod(containers=[{"name": "a", "ports": ports}, {"name": "b", "ports": ports[:1]}]))
    assert result.detail == 'containers "a", "b" use hostPorts 10256, 443, 80'
    assert places(result)[-2:] == ["spec.containers[0].ports[4].hostPort", "spec.containers[1].ports[0].hostPort"]


def test_hosts_of_probes_and_hooks_are_sorted_and_named_once(pod: MakePod) -> None:
    calls = {"httpGet": {"port": 1, "host": "z"}}
    probed: dict[str, Any] = {
        "livenessProbe": calls,
        "readinessProbe": {"tcpSocket": {"port": 1, "host": "a"}},
        "startupProbe": {"httpGet": {"port": 1, "host": ""}},
        "lifecycle": {"preStop": calls, "postStart": calls},
    }
    result = of("hostProbesAndHostLifecycle", pod(containers=[{"name": "b", **probed}, {"name": "a", **probed}]))
    assert result.detail == 'containers "a", "b" use probe or lifecycle hosts "a", "z"'
    assert places(result)[:4] == [
        "spec.containers[0].livenessProbe.httpGet.host",
        "spec.containers[0].readinessProbe.tcpSocket.host",
        "spec.containers[0].lifecycle.postStart.httpGet.host",
        "spec.containers[0].lifecycle.preStop.httpGet.host",
    ]


def test_two_containers_of_one_name_count_once_for_probes_and_twice_elsewhere(pod: MakePod) -> None:
    twin = {
        "name": "c",
        "livenessProbe": {"httpGet": {"port": 1, "host": "h"}},
        "securityContext": {"privileged": True},
    }
    twins = pod(containers=[twin, twin])
    assert of("hostProbesAndHostLifecycle", twins).detail == 'container "c" uses probe or lifecycle host "h"'
    assert of("privileged", twins).detail == 'containers "c", "c" must not set securityContext.privileged=true'


def test_selinux_names_types_then_user_then_role(pod: MakePod) -> None:
    bad = pod(
        {"seLinuxOptions": {"type": "spc_t", "user": "u"}},
        securityContext={"seLinuxOptions": {"type": "a_t", "role": "r"}},
    )
    assert of("seLinuxOptions", bad).detail == (
        'pod and container "c" set forbidden securityContext.seLinuxOptions: '
        'types "a_t", "spc_t"; user may not be set; role may not be set'
    )
    engine = pod({"seLinuxOptions": {"type": "container_engine_t"}})
    assert "seLinuxOptions" in names(engine, version=Version(30))
    assert not names(engine, version=Version(31))


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("net.ipv4.ip_local_reserved_ports", 27),
        ("net.ipv4.tcp_keepalive_time", 29),
        ("net.ipv4.tcp_fin_timeout", 29),
        ("net.ipv4.tcp_keepalive_intvl", 29),
        ("net.ipv4.tcp_keepalive_probes", 29),
        ("net.ipv4.tcp_rmem", 32),
        ("net.ipv4.tcp_wmem", 32),
        ("net.ipv4.tcp_slow_start_after_idle", 37),
        ("net.ipv4.tcp_notsent_lowat", 37),
    ],
)
def test_a_sysctl_is_safe_since_its_version(name: str, since: int, pod: MakePod) -> None:
    asking = pod(securityContext={"sysctls": [{"name": name, "value": "1"}]})
    assert names(asking, version=Version(since - 1)) == {"sysctls"}
    assert not names(asking, version=Version(since))


def test_sysctls_are_named_in_their_order_as_often_as_they_stand_there(pod: MakePod) -> None:
    sysctls = [{"name": name, "value": "1"} for name in ("b", "kernel.shm_rmid_forced", "a", "b")]
    result = of("sysctls", pod(securityContext={"sysctls": sysctls}))
    assert result.detail == "b, a, b"
    assert places(result) == [f"spec.securityContext.sysctls[{index}].name" for index in (0, 2, 3)]


def test_a_volume_with_an_allowed_source_passes_whatever_else_it_has(pod: MakePod) -> None:
    both = pod(volumes=[{"name": "v", "secret": {}, "hostPath": {"path": "/"}}])
    assert "restrictedVolumes" not in names(both, Level.RESTRICTED)
    assert names(both) == {"hostPathVolumes"}


def test_volumes_keep_their_order_and_kinds_are_sorted(pod: MakePod) -> None:
    volumes = [{"name": "z", "nfs": {}}, {"name": "a"}, {"name": "ok", "image": {}}, {"name": "a", "cephfs": {}}]
    result = of("restrictedVolumes", pod(volumes=volumes), Version(0), Level.RESTRICTED)
    assert result.detail == 'volumes "z", "a", "a" use restricted volume types "cephfs", "nfs", "unknown"'
    assert places(result) == ["spec.volumes[0].nfs", "spec.volumes[1]", "spec.volumes[3].cephfs"]


def test_host_process_of_the_pod_and_its_containers(pod: MakePod) -> None:
    asking = {"windowsOptions": {"hostProcess": True}}
    assert of("windowsHostProcess", pod(asking, securityContext=asking)).detail == (
        'pod and container "c" must not set securityContext.windowsOptions.hostProcess=true'
    )


def test_names_are_quoted_without_escaping(pod: MakePod) -> None:
    odd = pod(containers=[{"name": 'a"\n', "securityContext": {"privileged": True}}])
    assert of("privileged", odd).detail == 'container "a"\n" must not set securityContext.privileged=true'
