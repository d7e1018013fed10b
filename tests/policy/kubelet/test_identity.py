"""Who a process is to be, rule by rule; the recorded cases of the real kubelet are in tests/cli/test_batch.py."""

import pytest

from podward.api.core import (
    Capabilities,
    Container,
    ObjectMeta,
    Pod,
    PodSecurityContext,
    PodSpec,
    Profile,
    SecurityContext,
    SELinuxOptions,
    Sysctl,
)
from podward.api.cri import IDMapping
from podward.api.effective import EffectiveContext, ImageUser, Place
from podward.api.node import Node
from podward.decision import Origin, Outcome, Source
from podward.path import Key, path
from podward.policy.kubelet import apparmor, groups, namespaces, seccomp, security_context, sysctls, user
from podward.stages import effective

NOBODY = Source(Origin.RULE, "nobody")
PLACE = Place("pod.yaml", container=path("spec", "containers", 0))


def facts(pod: PodSecurityContext | None, own: SecurityContext | None, image: ImageUser) -> effective.EffectiveFacts:
    container = Container(name="c", security_context=own)
    spec = PodSpec(containers=(container,), security_context=pod)
    return effective.EffectiveFacts(
        pod=Pod(metadata=ObjectMeta(name="p", namespace="n", uid="u"), spec=spec),
        container=container,
        place=PLACE,
        image=image,
        image_name="image",
        node=Node(capabilities=0),
    )


def context(pod: PodSecurityContext | None, own: SecurityContext | None) -> Outcome[EffectiveContext]:
    decision = effective.decide(facts(pod, own, ImageUser(uid=7)))
    return Outcome(decision.fold(EffectiveContext), decision)


def test_the_containers_word_counts_before_the_pods_and_each_names_its_line() -> None:
    outcome = context(PodSecurityContext(run_as_user=1, run_as_group=2), SecurityContext(run_as_user=3))
    assert (outcome.value.run_as_user, outcome.value.run_as_group) == (3, 2)
    cited = {name: str(outcome.source(path(name), NOBODY).path) for name in ("runAsUser", "runAsGroup")}
    assert cited == {
        "runAsUser": "spec.containers[0].securityContext.runAsUser",
        "runAsGroup": "spec.securityContext.runAsGroup",
    }


def test_an_empty_object_of_the_container_wipes_the_pods() -> None:
    pod = PodSecurityContext(se_linux_options=SELinuxOptions(type="t"))
    outcome = context(pod, SecurityContext(se_linux_options=SELinuxOptions()))
    assert outcome.value.security_context.se_linux_options == SELinuxOptions()


def test_the_image_decides_only_where_the_manifest_does_not() -> None:
    outcome = context(None, None)
    found = outcome.decision.assignment(path("runAsUser"))
    assert found is not None
    assert (found.value, found.source.origin) == (7, Origin.IMAGE)
    assert context(PodSecurityContext(run_as_user=5), None).value.run_as_user == 5


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ImageUser()),
        ("0", ImageUser(uid=0)),
        ("1003:1004", ImageUser(uid=1003)),
        ("www-data", ImageUser(username="www-data")),
        ("www-data:33", ImageUser(username="www-data")),
        ("-1", ImageUser(uid=-1)),
        ("9223372036854775808", ImageUser(username="9223372036854775808")),
        ("٣", ImageUser(username="٣")),
    ],
)
def test_an_images_user_is_read_as_runtimes_report_it(written: str, expected: ImageUser) -> None:
    assert user.parse_image_user(written) == expected


def test_groups_stand_in_different_orders_for_container_and_sandbox() -> None:
    pod = PodSecurityContext(fs_group=1, supplemental_groups=(2, 2))
    spec = PodSpec(security_context=pod)
    made = groups.decide_container(spec, (9,), PLACE).assignments
    assert [a.value for a in made] == [1, 2, 2, 9, "Merge"]
    assert [a.value for a in groups.decide_sandbox(pod, (9,), PLACE).assignments] == [1, 9, 2, 2, "Merge"]


def test_strict_is_refused_by_a_node_that_cannot_do_it() -> None:
    spec = PodSpec(security_context=PodSecurityContext(supplemental_groups_policy="Strict"))
    assert not groups.admit(spec, PLACE, supported=True).refused
    (violation,) = groups.admit(spec, PLACE, supported=False).violations
    assert violation.reason == "SupplementalGroupsPolicy=Strict is not supported in this node"


@pytest.mark.parametrize(
    ("own", "pod", "default_on", "expected"),
    [
        (None, None, False, "Unconfined"),
        (None, None, True, "RuntimeDefault"),
        (None, "RuntimeDefault", False, "RuntimeDefault"),
        ("Unconfined", "RuntimeDefault", True, "Unconfined"),
        ("", "RuntimeDefault", True, "Unconfined"),
    ],
)
def test_the_seccomp_profile_is_the_containers_the_pods_or_the_nodes(
    own: str | None, pod: str | None, *, default_on: bool, expected: str
) -> None:
    whole = Pod(
        spec=PodSpec(security_context=PodSecurityContext(seccomp_profile=None if pod is None else Profile(pod)))
    )
    mine = SecurityContext(seccomp_profile=None if own is None else Profile(own))
    decision = seccomp.decide(whole, mine, PLACE, default_on=default_on, profile_root="/root")
    value = decision.fold(EffectiveContext).seccomp
    assert value is not None
    assert value.profile_type == expected


def test_a_localhost_profile_needs_a_name() -> None:
    own = SecurityContext(seccomp_profile=Profile("Localhost", ""))
    decision = seccomp.decide(Pod(), own, PLACE, default_on=False, profile_root="/root")
    (violation,) = decision.violations
    assert str(violation.path) == "spec.containers[0].securityContext.seccompProfile.localhostProfile"


def test_a_node_without_apparmor_refuses_what_asks_for_it_and_nothing_else() -> None:
    def pod(kind: str) -> Pod:
        own = SecurityContext(app_armor_profile=Profile(kind))
        return Pod(spec=PodSpec(containers=(Container(name="c", security_context=own),)))

    assert apparmor.admit_host(pod("RuntimeDefault"), PLACE, enabled=False).refused
    assert not apparmor.admit_host(pod("RuntimeDefault"), PLACE, enabled=True).refused
    assert not apparmor.admit_host(pod("Unconfined"), PLACE, enabled=False).refused
    assert not apparmor.admit_host(Pod(), PLACE, enabled=False).refused


def test_host_users_false_needs_a_runtime_and_a_range() -> None:
    spec = PodSpec(host_users=False)
    assert namespaces.decide(spec, PLACE, None, userns_supported=True).refused
    assert namespaces.decide(spec, PLACE, IDMapping(0, 65536, 65536), userns_supported=False).refused
    assert not namespaces.decide(spec, PLACE, IDMapping(0, 65536, 65536), userns_supported=True).refused


@pytest.mark.parametrize(
    ("name", "spec", "fault"),
    [
        ("net.ipv4.tcp_syncookies", PodSpec(), ""),
        ("net/ipv4/tcp_syncookies", PodSpec(), ""),
        ("net.ipv4.tcp_syncookies", PodSpec(host_network=True), "not allowed with host Net enabled"),
        ("kernel.shm_rmid_forced", PodSpec(host_ipc=True), "not allowed with host IPC enabled"),
        ("kernel.msgmax", PodSpec(), "not allowlisted"),
        ("vm.swappiness", PodSpec(), "not allowlisted"),
    ],
)
def test_only_safe_sysctls_of_own_namespaces_are_admitted(name: str, spec: PodSpec, fault: str) -> None:
    with_sysctl = PodSecurityContext(sysctls=(Sysctl(name, "1"),))
    whole = PodSpec(security_context=with_sysctl, host_network=spec.host_network, host_ipc=spec.host_ipc)
    violations = sysctls.admit(whole, PLACE).violations
    assert [fault in violation.reason for violation in violations] == ([True] if fault else [])
    allowed = not sysctls.admit(whole, PLACE, unsafe=("kernel.msg*", "vm.swappiness", "*")).refused
    assert allowed == (name != "vm.swappiness" and "host" not in fault), "what is the machine's no list can allow"


@pytest.mark.parametrize(
    ("pattern", "starts"),
    [
        ("net.*", True), ("net/core/*", True), ("kernel.shm*", True), ("kernel.msg*", True), ("kernel.sem", True),
        ("fs.mqueue.*", True), ("net.ipv4.conf.eth0/1.forwarding", True), ("net*", False), ("*", False),
        ("kernel.*", False), ("vm.max_map_count", False), ("vm/max_map_count", False), ("fs.inotify.*", False),
        ("kernel.shm_next_id", False), ("Net.*", False), ("net.**", False), ("net.*.x", False), ("", False),
        ("net." + "x" * 250, False),
    ],
)  # fmt: skip
def test_a_kubelet_does_not_start_with_sysctls_of_the_machine(pattern: str, starts: bool) -> None:  # noqa: FBT001
    assert bool(sysctls.fault_of(("net.*", pattern))) is not starts


def test_the_sandbox_has_names_with_dots() -> None:
    written = PodSecurityContext(sysctls=(Sysctl("net/ipv4/conf/eth0.1/forwarding", "1"), Sysctl("kernel.sem", "2")))
    decided = sysctls.decide(PodSpec(security_context=written), PLACE)
    assert [made.path.segments[-1] for made in decided.assignments] == [
        Key("net.ipv4.conf.eth0/1.forwarding"),
        Key("kernel.sem"),
    ]


def test_without_a_pod_context_the_containers_object_is_taken_as_it_is() -> None:
    own = SecurityContext(seccomp_profile=Profile("RuntimeDefault"), capabilities=Capabilities())
    assert security_context.decide_merge(None, own, PLACE).fold(EffectiveContext).security_context == own
    merged = security_context.decide_merge(PodSecurityContext(), own, PLACE).fold(EffectiveContext).security_context
    assert merged.seccomp_profile is None
