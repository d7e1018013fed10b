"""Reading Localhost profiles: what is read, and that nothing misspelt is passed over."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.oci import SeccompArg
from podward.errors import InputError
from podward.policy.runtime.seccomp_profile import parse
from podward.policy.runtime.seccomp_table import ALWAYS, Condition, Profile, Rule

WHERE = "/var/lib/kubelet/seccomp/p.json"


def test_a_whole_profile() -> None:
    content = b"""{
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "comment": "mine",
      "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                  {"architecture": "SCMP_ARCH_S390X", "subArchitectures": null}],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/l.sock", "listenerMetadata": "m",
      "syscalls": [
        {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "", "errno": "EPERM"},
        {"name": "clone", "action": "SCMP_ACT_ALLOW", "args": [
           {"index": 0, "value": 2114060288, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}],
         "includes": {"arches": ["amd64"], "caps": ["CAP_KILL"], "minKernel": "4.8"},
         "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390x"], "minKernel": "6.0"}},
        {"names": ["bpf"], "action": "SCMP_ACT_NOTIFY", "errnoRet": 0}]}"""
    assert parse(content, WHERE) == Profile(
        default_action="SCMP_ACT_ERRNO",
        default_errno=38,
        arch_map=(("SCMP_ARCH_X86_64", ("SCMP_ARCH_X86",)), ("SCMP_ARCH_S390X", ())),
        flags=("SECCOMP_FILTER_FLAG_LOG",),
        listener_path="/run/l.sock",
        listener_metadata="m",
        rules=(
            Rule("read write"),
            Rule(
                "clone",
                args=(SeccompArg(0, 2114060288, 1, "SCMP_CMP_MASKED_EQ"),),
                when=Condition(("CAP_KILL",), ("CAP_SYS_ADMIN",), ("amd64",), ("s390x",), (4, 8), (6, 0)),
                single_name=True,
            ),
            Rule("bpf", "SCMP_ACT_NOTIFY", 0),
        ),
    )


def test_a_rule_without_conditions_always_holds() -> None:
    content = b'{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","includes":{}}]}'
    assert parse(content, WHERE).rules[0].when is ALWAYS


ALLOW = '{"defaultAction":"SCMP_ACT_ALLOW"'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a seccomp profile"),
        ("{}", "`defaultAction`"),
        ('{"defaultAction":"ALLOW"}', "defaultAction: 'ALLOW' is not known"),
        ('{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":4096}', "defaultErrnoRet: 4096"),
        (ALLOW + ',"sycalls":[]}', "sycalls"),
        (ALLOW + ',"architectures":["amd64"]}', "architectures: 'amd64'"),
        (ALLOW + ',"flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}', "flags:"),
        (
            ALLOW + ',"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}',
            "both 'architectures' and 'archMap'",
        ),
        (ALLOW + ',"archMap":[{"architecture":"SCMP_ARCH_X86","subArchitectures":["x"]}]}', "archMap: 'x'"),
        (ALLOW + ',"listenerPath":"/l"}', "listenerPath"),
        (ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}', "listenerPath"),
        (ALLOW + ',"syscalls":[{"action":"SCMP_ACT_LOG"}]}', "syscalls[0]: it names no system call"),
        (ALLOW + ',"syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}]}', "syscalls[0]: it names no system call"),
        (ALLOW + ',"syscalls":[{"names":["a b"],"action":"SCMP_ACT_LOG"}]}', "syscalls[0].names: 'a b'"),
        (ALLOW + ',"syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_LOG"}]}', "both 'name' and 'names'"),
        (ALLOW + ',"syscalls":[{"names":["a"],"action":"DENY"}]}', "syscalls[0].action: 'DENY'"),
        (ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":-1}]}', "syscalls[0].errnoRet"),
        (
            ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}',
            "syscalls[0].args[0].index: 6",
        ),
        (
            ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":0,"op":"=="}]}]}',
            "syscalls[0].args[0].op",
        ),
        (
            ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG",'
            '"args":[{"index":0,"value":-1,"op":"SCMP_CMP_EQ"}]}]}',
            "syscalls[0].args[0].value: -1",
        ),
        (
            ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","includes":{"minKernel":"new"}}]}',
            "syscalls[0].includes.minKernel: 'new'",
        ),
        (ALLOW + ',"syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","includes":{"cap":[]}}]}', "cap"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(content.encode(), WHERE)
    assert words in str(caught.value)
    assert WHERE in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("defaultAction", "syscalls", "names", "name", "action", "args", "index", "op", "flags"))
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.binary())
def test_any_content_is_read_or_refused(content: object) -> None:
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    try:
        assert isinstance(parse(data, WHERE), Profile)
    except InputError as refused:
        said = str(refused)
    else:
        said = WHERE
    assert WHERE in said
