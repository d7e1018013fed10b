"""What the rules look at beyond the manifests of the corpus: the edges at which they speak or are silent."""

from __future__ import annotations

import msgspec
import pytest
from hint_facts import IMAGES, NODE, RANGE, World, facts_of

from podward.api.cri import SELinuxOption
from podward.api.explanation import Hint
from podward.api.image import EntryFile, GroupEntry, Image, ImageConfig, PasswdEntry, UnknownImage
from podward.decision import Unknown
from podward.policy.hints import identity
from podward.policy.hints.all import RULES, decide
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.policy.hints.identity import READ, SEARCH, WRITE, Identity, may_access
from podward.policy.hints.mounts import TMP


def pod(container: str = "{}", spec: str = "{}", image: str = "busybox:root", rest: str = "") -> str:
    """A Pod of one container with these security contexts, as JSON's superset."""
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec:
  securityContext: {spec}
  containers:
  - {{name: c, image: "{image}", command: ["true"], securityContext: {container}{rest}}}
"""


def hints(rule: str, text: str, world: World | None = None) -> tuple[Hint, ...]:
    return tuple(hint for facts in facts_of(text, world) for hint in RULES[rule](facts))


def changes(found: tuple[Hint, ...]) -> dict[str, object]:
    return {str(change.path): change.value for hint in found for change in hint.changes}


MOUNTED = ", volumeMounts: [{name: data, mountPath: /data}]"
CLAIMED = "\n  volumes: [{name: data, persistentVolumeClaim: {claimName: x}}]"
ON_HOST = "\n  volumes: [{name: data, hostPath: {path: /srv/x}}]"


def volume(kind: str, root: FileFacts) -> World:
    return World(volumes=(VolumeFacts("data", kind, root),))


# --- capabilities -----------------------------------------------------------------------------------------------------


def test_all_is_called_all() -> None:
    (found,) = hints("capability-without-root", pod("{runAsUser: 5, capabilities: {add: [ALL]}}"))
    assert found.problem.startswith("ALL is added, but uid 5 ")


def test_root_of_a_user_namespace_has_what_is_added() -> None:
    text = pod("{capabilities: {add: [NET_ADMIN]}}") + "  hostUsers: false\n"
    assert hints("capability-without-root", text) == ()


def test_a_capability_that_is_added_and_dropped_is_nobodys_surprise() -> None:
    text = pod("{runAsUser: 5, capabilities: {add: [NET_ADMIN], drop: [NET_ADMIN]}}")
    assert hints("capability-without-root", text) == ()


def test_privileged_asks_for_everything_by_no_name() -> None:
    assert hints("capability-without-root", pod("{privileged: true, runAsUser: 5, capabilities: {add: [CHOWN]}}")) == ()


def test_the_sysctl_with_another_value_frees_no_low_ports() -> None:
    text = pod(
        "{runAsUser: 5, capabilities: {add: [NET_BIND_SERVICE]}}",
        "{sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '1024'}]}",
    )
    assert len(hints("capability-without-root", text)) == 1


def test_run_as_non_root_is_not_answered_with_root() -> None:
    (found,) = hints(
        "capability-without-root", pod("{runAsUser: 5, capabilities: {add: [CHOWN]}}", "{runAsNonRoot: true}")
    )
    assert found.changes == ()
    assert "runAsNonRoot forbids it" in found.remedy


def test_low_ports_beside_another_capability_take_more_than_a_sysctl() -> None:
    found = hints("capability-without-root", pod("{runAsUser: 5, capabilities: {add: [NET_BIND_SERVICE, CHOWN]}}"))
    assert changes(found) == {"spec.containers[0].securityContext.runAsUser": 0}


def test_the_sysctl_is_added_after_those_that_are_there() -> None:
    text = pod(
        "{runAsUser: 5, capabilities: {add: [NET_BIND_SERVICE]}}",
        "{sysctls: [{name: net.ipv4.ping_group_range, value: '0 1'}]}",
    )
    crio = World(node=msgspec.structs.replace(NODE, runtime_defaults="cri-o"))
    assert list(changes(hints("capability-without-root", text, crio))) == ["spec.securityContext.sysctls[1]"]


def test_where_the_runtime_frees_low_ports_the_capability_is_not_missed() -> None:
    assert hints("capability-without-root", pod("{runAsUser: 5, capabilities: {add: [NET_BIND_SERVICE]}}")) == ()


# --- users and groups -------------------------------------------------------------------------------------------------


def named(name: str, *passwd: PasswdEntry) -> World:
    image = Image("named", "sha256:9", ImageConfig(user=name), passwd)
    return World(image=lambda _name: image)


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (named("app"), "the image's /etc/passwd has no app"),
        (named("toor", PasswdEntry("toor", 0, 0, "/root", 4)), "line 4 of the image's /etc/passwd makes toor root"),
    ],
)
def test_a_name_without_a_fitting_number_gets_none_proposed(world: World, said: str) -> None:
    (found,) = hints("image-user-not-numeric", pod(spec="{runAsNonRoot: true}"), world)
    assert said in found.remedy
    assert found.changes == ()


def test_the_users_group_of_the_image_names_the_user_to_run_as() -> None:
    world = named("", PasswdEntry("root", 0, 88, "/root", 1), PasswdEntry("app", 77, 88, "/", 2))
    found = hints("group-without-user", pod("{runAsGroup: 88}"), world)
    assert changes(found) == {"spec.containers[0].securityContext.runAsUser": 77}


def test_docker_is_told_a_group_and_not_a_policy_that_it_does_not_know() -> None:
    world = World(node=msgspec.structs.replace(NODE, runtime_defaults="docker"))
    found = hints("group-from-image", pod("{runAsUser: 1000}", image="agnhost"), world)
    assert changes(found) == {"spec.containers[0].securityContext.runAsGroup": 1000}


def test_root_needs_no_line_in_etc_passwd() -> None:
    assert hints("uid-without-passwd", pod(), named("")) == ()


def test_a_volume_at_tmp_is_a_home_even_beside_a_read_only_root() -> None:
    rest = ", volumeMounts: [{name: tmp, mountPath: /tmp}]"
    text = pod("{runAsUser: 5, readOnlyRootFilesystem: true}", rest=rest) + "  volumes: [{name: tmp, emptyDir: {}}]"
    assert changes(hints("uid-without-passwd", text, World(writable_tmp=False))) == {
        "spec.containers[0].env[0]": {"name": "HOME", "value": TMP}
    }


def test_the_volume_for_temporary_files_gets_a_name_that_is_free() -> None:
    text = pod("{readOnlyRootFilesystem: true}") + "  volumes: [{name: tmp, emptyDir: {}}, {name: tmp-2, emptyDir: {}}]"
    assert changes(hints("read-only-root-without-tmp", text)) == {
        "spec.volumes[2]": {"name": "tmp-3", "emptyDir": {}},
        "spec.containers[0].volumeMounts[0]": {"name": "tmp-3", "mountPath": TMP},
    }


def test_a_group_on_the_pod_is_refused_even_if_every_container_has_a_user() -> None:
    (found,) = hints("group-without-user", pod("{runAsUser: 7}", "{runAsGroup: 3000}"))
    assert "refuse its sandbox." in found.problem
    assert changes((found,)) == {"spec.securityContext.runAsUser": 7}


def test_root_in_groups_of_its_image_is_not_worth_a_word() -> None:
    passwd, group = PasswdEntry("root", 0, 0, "/root", 1), GroupEntry("wheel", 10, ("root",), 2)
    image = Image("alpine", "sha256:8", ImageConfig(), (passwd,), (group,))
    world = World(image=lambda _name: image)
    assert hints("group-from-image", pod(), world) == ()
    dropped = pod("{capabilities: {drop: [ALL]}}")
    assert [hint.source.line for hint in hints("group-from-image", dropped, world)] == [2]


def test_without_a_writable_tmp_no_home_is_proposed() -> None:
    text = pod("{runAsUser: 5}")
    (found,) = hints("uid-without-passwd", text, World(writable_tmp=False))
    assert found.changes == ()
    assert "its group is 0" in found.problem
    (readonly,) = hints("uid-without-passwd", pod("{runAsUser: 5, readOnlyRootFilesystem: true}"))
    assert readonly.changes == ()


def test_a_home_of_the_image_is_good() -> None:
    image = msgspec.structs.replace(IMAGES["busybox:root"], config=ImageConfig(env=("HOME=/srv",)))
    assert hints("uid-without-passwd", pod("{runAsUser: 5}"), World(image=lambda _name: image)) == ()


def test_a_script_of_setuid_is_none_and_a_setgid_program_is_one() -> None:
    text = pod("{runAsUser: 33, allowPrivilegeEscalation: false}")
    script = EntryFile("/s", 0o104755, 0, 0, interpreter=EntryFile("/bin/sh", 0o100755, 0, 0))
    assert hints("setuid-without-new-privileges", text, World(entry=lambda _image, _spec: script)) == ()
    setgid = EntryFile("/g", 0o102755, 0, 50)
    (found,) = hints("setuid-without-new-privileges", text, World(entry=lambda _image, _spec: setgid))
    assert "with group 50" in found.problem
    elsewhere = EntryFile("/g", 0o104755, 0, 0, nosuid=True)
    assert hints("setuid-without-new-privileges", text, World(entry=lambda _image, _spec: elsewhere)) == ()


@pytest.mark.parametrize("host", ["hostNetwork", "hostPID", "hostIPC"])
def test_a_pod_in_the_hosts_namespaces_is_not_offered_a_user_namespace(host: str) -> None:
    world = World(shared_uids=(5,))
    (found,) = hints("uid-shared-with-pods", pod("{runAsUser: 5}") + f"  {host}: true\n", world)
    assert found.changes == ()


def test_the_hosts_root_is_shared_by_everybody_and_not_mentioned() -> None:
    assert hints("uid-shared-with-pods", pod(), World(shared_uids=(0,))) == ()


# --- profiles and labels ----------------------------------------------------------------------------------------------


def test_the_options_that_an_empty_object_takes_away_come_back() -> None:
    spec = '{seLinuxOptions: {type: container_t, level: "s0:c1,c2"}}'
    asked = []
    for container in ("{seLinuxOptions: {}}", "{}"):
        (facts,) = facts_of(pod(container, spec))
        assert facts.config is not None
        asked.append(facts.config.value.linux.security_context.selinux_options)
    assert asked == [SELinuxOption(), SELinuxOption(type="container_t", level="s0:c1,c2")]
    (found,) = hints("empty-object-wipes-pod-value", pod("{seLinuxOptions: {}}", spec))
    assert "(type: container_t, level: s0:c1,c2)" in found.problem
    assert changes((found,)) == {"spec.containers[0].securityContext.seLinuxOptions": None}


def test_an_empty_object_has_nothing_to_take_from_an_empty_one() -> None:
    assert hints("empty-object-wipes-pod-value", pod("{seLinuxOptions: {}}", "{seLinuxOptions: {}}")) == ()


def test_without_apparmor_there_is_no_profile_to_lose() -> None:
    text = pod("{privileged: true, appArmorProfile: {type: RuntimeDefault}}")
    assert hints("privileged-drops-profile", text) == ()


def test_a_privileged_container_loses_the_default_apparmor_profile_and_keeps_the_nodes() -> None:
    world = World(node=msgspec.structs.replace(NODE, lsm="apparmor"))
    default = pod("{privileged: true, appArmorProfile: {type: RuntimeDefault}}")
    assert [hint.problem[:20] for hint in hints("privileged-drops-profile", default, world)] == ["The AppArmor profile"]
    local = pod("{privileged: true, appArmorProfile: {type: Localhost, localhostProfile: mine}}")
    assert hints("privileged-drops-profile", local, world) == ()
    crio = World(node=msgspec.structs.replace(NODE, lsm="apparmor", runtime_defaults="cri-o"))
    assert "profile mine is not applied" in hints("privileged-drops-profile", local, crio)[0].problem


def test_a_refused_container_is_not_told_about_seccomp() -> None:
    assert hints("seccomp-unset", pod(spec="{runAsNonRoot: true}")) == ()
    assert len(hints("seccomp-unset", pod())) == 1


# --- volumes ----------------------------------------------------------------------------------------------------------


def test_ids_of_an_id_mapped_volume_are_those_of_the_container() -> None:
    text = pod("{runAsUser: 1000}", rest=MOUNTED) + "  hostUsers: false" + ON_HOST
    own = FileFacts(RANGE.host_id + 1000, RANGE.host_id, 0o40700)
    assert hints("volume-not-writable", text, volume("hostPath", own)) == ()
    group = FileFacts(RANGE.host_id, RANGE.host_id + 5000, 0o42770)
    found = hints("volume-not-writable", text, volume("hostPath", group))
    assert changes(found) == {"spec.securityContext.supplementalGroups[0]": 5000}
    assert "owner 0:5000" in found[0].problem


@pytest.mark.parametrize("kind", [0o100000, 0o020000, 0o140000])
def test_a_file_a_device_or_a_socket_needs_no_search_permission(kind: int) -> None:
    owned = volume("hostPath", FileFacts(5, 5, kind | 0o644))
    text = pod("{runAsUser: 5}", rest=MOUNTED) + ON_HOST
    assert hints("volume-not-writable", text, owned) == ()
    text = pod("{runAsUser: 5}", "{fsGroup: 6}", rest=MOUNTED) + ON_HOST
    assert hints("host-path-keeps-its-group", text, owned) == ()
    assert hints("host-path-keeps-its-group", text, volume("hostPath", FileFacts(0, 0, kind | 0o644)))


def test_what_has_no_id_in_the_user_namespace_is_nobodys_even_for_its_root() -> None:
    text = pod(rest=MOUNTED) + "  hostUsers: false" + ON_HOST
    (found,) = hints("volume-not-writable", text, volume("hostPath", FileFacts(65534, 65534, 0o40777)))
    assert "owner nobody:nobody" in found.problem
    assert found.changes == ()


def test_a_directory_of_roots_alone_has_no_cure_in_the_manifest() -> None:
    text = pod("{runAsUser: 5}", rest=MOUNTED) + ON_HOST
    (found,) = hints("volume-not-writable", text, volume("hostPath", FileFacts(0, 0, 0o40755)))
    assert found.changes == ()
    text = pod("{runAsUser: 5}", "{fsGroup: 6}", rest=MOUNTED) + ON_HOST
    world = volume("hostPath", FileFacts(0, 0, 0o40755))
    (found,) = hints("host-path-keeps-its-group", text, world)
    assert "chgrp" in found.remedy
    assert hints("volume-not-writable", text, world) == (), "one hint is enough"


def test_fs_group_does_not_silence_the_hint_about_other_volumes() -> None:
    text = pod("{runAsUser: 5}", "{fsGroup: 6}", rest=MOUNTED) + CLAIMED
    world = volume("persistentVolumeClaim", FileFacts(0, 7, 0o40770))
    assert len(hints("volume-not-writable", text, world)) == 1
    assert hints("host-path-keeps-its-group", text, world) == ()


def test_an_access_control_list_may_allow_more_and_unknown_volumes_are_passed_over() -> None:
    text = pod("{runAsUser: 5}", rest=MOUNTED) + ON_HOST
    assert hints("volume-not-writable", text, volume("hostPath", FileFacts(0, 0, 0o40755, "user:5:rwx"))) == ()
    assert hints("volume-not-writable", text, World(volumes=(VolumeFacts("data", "hostPath"),))) == ()
    assert hints("volume-not-writable", text) == ()


def test_a_sub_path_is_another_directory() -> None:
    rest = ", volumeMounts: [{name: data, mountPath: /data, subPath: a}]"
    world = volume("hostPath", FileFacts(0, 0, 0o40755))
    assert hints("volume-not-writable", pod("{runAsUser: 5}", rest=rest) + ON_HOST, world) == ()


@pytest.mark.parametrize(
    ("who", "file", "wanted", "expected"),
    [
        (Identity(1, 2, (), 0), FileFacts(1, 9, 0o077), READ, False),
        (Identity(1, 2, (), 0), FileFacts(9, 2, 0o707), READ, False),
        (Identity(1, 2, (3,), 0), FileFacts(9, 3, 0o040), READ, True),
        (Identity(1, 2, (), 0), FileFacts(9, 9, 0o003), WRITE | SEARCH, True),
        (Identity(1, 2, (), 0), FileFacts(9, 9, 0o002), WRITE | SEARCH, False),
        (Identity(1, 2, (), identity.OVERRIDE), FileFacts(9, 9, 0), WRITE | SEARCH, True),
        (Identity(1, 2, (), identity.READ_SEARCH), FileFacts(9, 9, 0), READ | SEARCH, True),
        (Identity(1, 2, (), identity.READ_SEARCH), FileFacts(9, 9, 0), WRITE, False),
        (Identity(0, 0, (), identity.OVERRIDE), FileFacts(identity.NOBODY, 0, 0o700), READ, False),
        (Identity(0, 0, (), identity.OVERRIDE), FileFacts(identity.NOBODY, 0, 0o777), WRITE, False),
    ],
)
def test_the_first_class_that_fits_decides(who: Identity, file: FileFacts, wanted: int, *, expected: bool) -> None:
    assert may_access(who, file, wanted) is expected


def test_only_the_files_that_are_closed_are_named() -> None:
    manifest = pod("{runAsUser: 1000}", rest=MOUNTED) + "  volumes: [{name: data, secret: {secretName: x}}]\n"
    files = (("open", FileFacts(0, 0, 0o444)), ("closed", FileFacts(0, 0, 0o400)))
    (found,) = hints("token-not-readable", manifest, World(volumes=(VolumeFacts("data", "secret", files=files),)))
    assert found.problem.startswith("closed of the secret volume data at /data (owner 0:0, mode 0400) cannot be read")
    assert hints("token-not-readable", manifest, World(volumes=(VolumeFacts("data", "secret", files=files[:1]),))) == ()


# --- other runtimes ---------------------------------------------------------------------------------------------------


def test_a_privileged_user_keeps_everything_with_crio_only() -> None:
    (found,) = hints("runtime-defaults-differ", pod("{privileged: true, runAsUser: 5}"))
    assert "CRI-O would give" in found.problem
    assert "Docker" not in found.problem
    assert found.changes == ()


def test_what_is_added_by_name_is_not_proposed_to_be_dropped() -> None:
    text = pod("{capabilities: {add: [NET_RAW], drop: [KILL]}}")
    found = hints("runtime-defaults-differ", text)
    assert changes(found) == {
        "spec.containers[0].securityContext.capabilities.drop[1]": "SYS_CHROOT",
        "spec.containers[0].securityContext.capabilities.drop[2]": "MKNOD",
        "spec.containers[0].securityContext.capabilities.drop[3]": "AUDIT_WRITE",
        "spec.containers[0].securityContext.capabilities.drop[4]": "SETFCAP",
    }


def test_the_groups_of_the_image_are_another_hints_business() -> None:
    text = pod("{runAsUser: 1000, runAsGroup: 3000}", image="agnhost")
    assert hints("runtime-defaults-differ", text) == ()
    assert len(hints("group-from-image", text)) == 1


# --- without the image ------------------------------------------------------------------------------------------------


def test_without_its_image_nothing_is_hinted_that_the_image_could_disprove() -> None:
    world = World(image=lambda name: UnknownImage(name, Unknown("it is not here", "bring it")))

    def named(text: str) -> list[str]:
        return [hint.name for facts in facts_of(text, world) for hint in decide(facts)]

    assert named(pod("{runAsUser: 5, readOnlyRootFilesystem: true}")) == ["seccomp-unset"]
    assert named(pod("{runAsGroup: 5, seccompProfile: {type: RuntimeDefault}}")) == []
    (facts,) = facts_of(pod("{seccompProfile: {type: RuntimeDefault}}", "{runAsGroup: 5}"), world)
    (found,) = decide(facts)
    assert found.problem.endswith("refuse its sandbox.")
    assert changes((found,)) == {"spec.securityContext.runAsUser": 1000}
