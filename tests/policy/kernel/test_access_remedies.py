"""What would cure a refusal: each change that is offered does, and none opens more than it must."""

from __future__ import annotations

import msgspec
import pytest

from podward.api.filesystem import FileAccessFacts, MountFlags, parse_acl
from podward.api.node import IDENTITY
from podward.api.process import ProcessState
from podward.policy.kernel import access_remedies

DIRECTORY, FILE = 0o040000, 0o100000
ROOT = FileAccessFacts("/", mode=DIRECTORY | 0o755)


def process(uid: int = 1000, *groups: int, gid: int = 1000) -> ProcessState:
    return ProcessState(
        uid=(uid,) * 4, gid=(gid,) * 4, groups=groups,
        cap_inheritable=0, cap_permitted=0, cap_effective=0, cap_bounding=0, cap_ambient=0,
        no_new_privs=False, seccomp=0, uid_map=IDENTITY, gid_map=IDENTITY, root_readonly=False,
        mounts=(), masked=(), readonly_paths=(), host_namespaces=(), oom_score_adj=0,
    )  # fmt: skip


def data(mode: int, origin: str, acl: str = "", **more: object) -> tuple[FileAccessFacts, ...]:
    facts = FileAccessFacts("/data", 0, 0, DIRECTORY | mode, parse_acl(acl), origin=origin, volume="v", host="/srv/it")
    return ROOT, msgspec.structs.replace(facts, **more)


def sentences(state: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> list[str]:
    return [remedy.sentence for remedy in access_remedies.suggest(state, chain, wanted)]


def fields(state: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> dict[str, object]:
    return {str(r.field): r.value for r in access_remedies.suggest(state, chain, wanted) if r.field is not None}


def test_what_is_allowed_needs_no_remedy() -> None:
    assert sentences(process(), data(0o777, "emptyDir"), "rw") == []


def test_what_is_missing_has_no_remedy() -> None:
    assert sentences(process(), (ROOT, FileAccessFacts("/x", error="ENOENT")), "r") == []


def test_an_empty_dir_is_given_to_fs_group() -> None:
    assert fields(process(), data(0o755, "emptyDir"), "w")["spec.securityContext.fsGroup"] == 1000
    assert fields(process(gid=0), data(0o700, "emptyDir"), "w")["spec.securityContext.fsGroup"] == 2000


def test_fs_group_is_not_offered_for_a_host_path_but_its_list_and_group_are() -> None:
    chain = data(0o755, "hostPath")
    assert "spec.securityContext.fsGroup" not in fields(process(), chain, "rw")
    listed, grouped = sentences(process(), chain, "rw")
    assert listed.endswith("`setfacl -m u:1000:rwx /srv/it`")
    assert grouped.endswith("`chgrp 1000 /srv/it && chmod g+rwx /srv/it`")


def test_a_group_that_the_mode_or_the_list_lets_in_is_offered() -> None:
    assert fields(process(), data(0o770, "hostPath", gid=2000), "rw") == {
        "spec.securityContext.supplementalGroups": 2000
    }
    listed = data(0o770, "hostPath", acl="u::rwx,g::---,g:3000:rwx,g:3001:r-x,m::rwx,o::---")
    assert fields(process(), listed, "rw") == {"spec.securityContext.supplementalGroups": 3000}


def test_a_group_that_would_not_help_is_not_offered() -> None:
    assert fields(process(), data(0o750, "hostPath", gid=2000), "w") == {}


def test_the_owner_is_offered_as_user_unless_it_is_root() -> None:
    assert fields(process(), data(0o700, "hostPath", uid=1234), "w") == {"spec.securityContext.runAsUser": 1234}
    assert fields(process(), data(0o700, "hostPath"), "w") == {}


def test_ids_are_those_of_the_container() -> None:
    lines = ((0, 65536, 65536),)
    inside = msgspec.structs.replace(process(66536, gid=66536), uid_map=lines, gid_map=lines)
    chain = data(0o770, "hostPath", uid=65536, gid=65536 + 2000)
    assert fields(inside, chain, "w") == {"spec.securityContext.supplementalGroups": 2000}
    assert any("setfacl -m u:1000:wx" in sentence for sentence in sentences(inside, chain, "w"))


def test_a_file_of_the_image_is_changed_where_the_image_is_built() -> None:
    file = FileAccessFacts("/etc/app conf", 0, 0, FILE | 0o600, origin="image")
    (sentence,) = sentences(process(), (ROOT, file), "r")
    assert sentence.endswith("`RUN chgrp 1000 '/etc/app conf' && chmod g+r '/etc/app conf'`")


def test_a_directory_on_the_way_is_opened_for_searching_only() -> None:
    below = FileAccessFacts("/data/f", 0, 0, FILE | 0o644, origin="hostPath", host="/srv/it/f")
    assert sentences(process(), (*data(0o700, "hostPath"), below), "r")[0].endswith("`setfacl -m u:1000:x /srv/it`")


@pytest.mark.parametrize(
    ("flags", "volume", "said"),
    [
        (MountFlags(readonly=True), "v", "leave `readOnly: true` out of the volumeMount of v"),
        (MountFlags(readonly=True), "", "mount an emptyDir at /data"),
        (MountFlags(filesystem_readonly=True), "v", "remount it read-write"),
    ],
)
def test_a_read_only_mount_is_cured_where_it_was_asked_for(flags: MountFlags, volume: str, said: str) -> None:
    assert said in sentences(process(), data(0o777, "hostPath", mount=flags, volume=volume), "w")[0]


def test_a_noexec_mount_is_the_hosts_to_change() -> None:
    file = FileAccessFacts("/f", 0, 0, FILE | 0o755, mount=MountFlags(noexec=True))
    assert "noexec" in sentences(process(), (ROOT, file), "x")[0]


def test_where_nothing_else_helps_a_volume_does() -> None:
    file = FileAccessFacts("/etc/hosts", 0, 0, FILE | 0o644, origin="runtime")
    assert sentences(process(), (ROOT, file), "w") == ["mount a volume at /etc that the process may use"]
