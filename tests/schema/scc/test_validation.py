"""What OpenShift refuses in an SCC on write: the paths, and the sentences to the letter."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.reading import scc_view
from podward.schema.scc.validation import validate

SOUND: JsonObject = {
    "metadata": {"name": "team"},
    "runAsUser": {"type": "RunAsAny"},
    "seLinuxContext": {"type": "RunAsAny"},
}


def errors(**fields: Json) -> list[str]:
    raw = defaulted({**SOUND, **fields})
    return [f"{violation.path}: {violation.reason}" for violation in validate(scc_view(raw)).violations]


def test_a_sound_scc_has_no_errors() -> None:
    assert errors() == []


@pytest.mark.parametrize("kind", ["MustRunAs", "MustRunAsNonRoot", "MustRunAsRange", "RunAsAny"])
def test_the_users_strategies(kind: str) -> None:
    assert errors(runAsUser={"type": kind}) == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"priority": -3}, "priority: Invalid value: -3: priority cannot be negative"),
        (
            {"runAsUser": {"type": "MayRunAs"}},
            (
                'runAsUser.type: Invalid value: "MayRunAs": invalid strategy type.  Valid values are MustRunAs,'
                " MustRunAsNonRoot, MustRunAsRange, RunAsAny"
            ),
        ),
        (
            {"runAsUser": {"type": "<b>"}},
            (
                'runAsUser.type: Invalid value: "\\u003cb\\u003e": invalid strategy type.  Valid values are MustRunAs,'
                " MustRunAsNonRoot, MustRunAsRange, RunAsAny"
            ),
        ),
        (
            {"runAsUser": {"type": "MustRunAs", "uid": -1}},
            "runAsUser.uid: Invalid value: -1: uid cannot be negative",
        ),
        (
            {"seLinuxContext": {"type": "MustRunAsRange"}},
            (
                'seLinuxContext.type: Invalid value: "MustRunAsRange": invalid strategy type.  Valid values are'
                " MustRunAs, RunAsAny"
            ),
        ),
        (
            {"fsGroup": {"type": "MayRunAs"}},
            'fsGroup.type: Unsupported value: "MayRunAs": supported values: "MustRunAs", "RunAsAny"',
        ),
        (
            {"supplementalGroups": {"type": "mustRunAs"}},
            'supplementalGroups.type: Unsupported value: "mustRunAs": supported values: "MustRunAs", "RunAsAny"',
        ),
        (
            {"supplementalGroups": {"ranges": [{"min": 1, "max": 1}, {"min": 7, "max": 3}]}},
            'supplementalGroups.ranges[1].min: Invalid value: {"min":7,"max":3}: min cannot be greater than max',
        ),
        (
            {"fsGroup": {"type": "MustRunAs", "ranges": [{"min": 5}]}},
            'fsGroup.ranges[0].min: Invalid value: {"min":5}: min cannot be greater than max',
        ),
        (
            {"requiredDropCapabilities": ["KILL"], "defaultAddCapabilities": ["KILL"]},
            (
                'defaultAddCapabilities: Invalid value: "KILL": capability is listed in defaultAddCapabilities and'
                " requiredDropCapabilities"
            ),
        ),
        (
            {"requiredDropCapabilities": ["KILL"], "allowedCapabilities": ["KILL"]},
            (
                'allowedCapabilities: Invalid value: "KILL": capability is listed in allowedCapabilities and'
                " requiredDropCapabilities"
            ),
        ),
        (
            {"requiredDropCapabilities": ["KILL", "MKNOD"], "allowedCapabilities": ["*"]},
            (
                'requiredDropCapabilities: Invalid value: ["KILL","MKNOD"]: required capabilities must be empty when'
                " all capabilities are allowed by a wildcard"
            ),
        ),
        (
            {"allowPrivilegeEscalation": False, "defaultAllowPrivilegeEscalation": True},
            (
                "defaultAllowPrivilegeEscalation: Invalid value: true: Cannot set DefaultAllowPrivilegeEscalation to"
                " true without also setting AllowPrivilegeEscalation to true"
            ),
        ),
        (
            {"volumes": ["secret", "none"]},
            'volumes: Invalid value: ["none","secret"]: if \'none\' is specified, no other values are allowed',
        ),
        (
            {"volumes": ["none"], "allowHostDirVolumePlugin": True},
            'volumes: Invalid value: ["hostPath","none"]: if \'none\' is specified, no other values are allowed',
        ),
        (
            {"volumes": ["secret"], "allowedFlexVolumes": [{"driver": "a/b"}, {}]},
            (
                'allowedFlexVolumes: Invalid value: [{"driver":"a/b"},{"driver":""}]: volumes does not include'
                " 'flexVolume' or '*', so no flex volumes are allowed"
            ),
        ),
        (
            {"volumes": ["flexVolume"], "allowedFlexVolumes": [{"driver": "a/b"}, {}]},
            "allowedFlexVolumes[1].driver: Required value: must specify a driver",
        ),
        (
            {"userNamespaceLevel": "Some"},
            'userNamespaceLevel: Unsupported value: "Some": supported values: "AllowHostLevel", "RequirePodLevel"',
        ),
        ({"metadata": {}}, "metadata.name: Required value: name or generateName is required"),
        (
            {"metadata": {"name": "team", "namespace": "shop"}},
            "metadata.namespace: Forbidden: not allowed on this type",
        ),
        (
            {"metadata": {"name": "team", "annotations": {"a/": "x"}}},
            'metadata.annotations: Invalid value: "a/": name part must be non-empty',
        ),
        (
            {"metadata": {"name": "team", "labels": {"a": "x" * 64}}},
            f'metadata.labels: Invalid value: "{"x" * 64}": must be no more than 63 characters',
        ),
        (
            {"metadata": {"name": "team", "annotations": {"a": "x" * (256 * 1024)}}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
    ],
)
def test_an_error_and_its_place(fields: dict[str, Json], error: str) -> None:
    assert error in errors(**fields)


def test_all_errors_are_reported_in_the_servers_order() -> None:
    found = errors(
        forbiddenSysctls=[""],
        volumes=["none", "nfs"],
        fsGroup={"type": "X", "ranges": [{"min": -1, "max": -2}]},
        priority=-1,
        runAsUser={},
    )
    assert [error.split(": ")[0] for error in found] == [
        "priority", "runAsUser.type", "fsGroup.type", "fsGroup.ranges[0].min", "fsGroup.ranges[0].max",
        "fsGroup.ranges[0].min", "volumes", "forbiddenSysctls[0]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"requiredDropCapabilities": ["kill"], "allowedCapabilities": ["KILL"]},
        {"requiredDropCapabilities": [], "allowedCapabilities": ["*"]},
        {"volumes": ["of-the-future"]},
        {"seccompProfiles": ["whatever"], "users": [""], "groups": ["no such"]},
        {"defaultAllowPrivilegeEscalation": True},
        {"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 5, "uidRangeMax": 1}},
        {"volumes": ["*"], "allowHostDirVolumePlugin": True, "allowedFlexVolumes": [{"driver": "x"}]},
        {"userNamespaceLevel": ""},
        {"fsGroup": {"type": "MustRunAs", "ranges": [{"min": 7, "max": 7}, {}]}},
        {"metadata": {"generateName": "team-"}},
        {"metadata": {"name": "a.b", "annotations": {"Example.com/Key": "any text\n"}, "labels": {"e.com/x": ""}}},
    ],
)
def test_what_the_server_takes(fields: dict[str, Json]) -> None:
    assert errors(**fields) == []


@pytest.mark.parametrize(
    "name", ["a.b.c.d", "a", "a_b", "a-b", "abc.def", "*", "a.*", "abc*", "a.abc*", "0", "a" * 253]
)
def test_names_and_patterns_of_sysctls(name: str) -> None:
    assert errors(forbiddenSysctls=[name]) == []


@pytest.mark.parametrize(
    "name",
    ["ä", "a_", "_", "_a", "_a._b", "-", ".", "a.", ".a", "a.b.", "a*.b", "a*b", "*a", "Abc", "a/b", "a\n", "a" * 254],
)
def test_what_is_no_pattern_of_sysctls(name: str) -> None:
    (error,) = errors(allowedUnsafeSysctls=[name])
    assert error.endswith(
        "must have at most 253 characters and match regex"
        " ([a-z0-9]([-_a-z0-9]*[a-z0-9])?\\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"
    )


@pytest.mark.parametrize(
    ("allowed", "banned", "refused"),
    [
        ("net.*", "net.core.*", "forbiddenSysctls[0]: net.core.* net.*"),
        ("net.core.*", "net.*", "allowedUnsafeSysctls[0]: net.core.* net.*"),
        ("net.*", "net.*", "allowedUnsafeSysctls[0]: net.* net.*"),
        ("kernel.sem", "kernel.*", "allowedUnsafeSysctls[0]: kernel.sem kernel.*"),
        ("kernel.*", "kernel.sem", "forbiddenSysctls[0]: kernel.sem kernel.*"),
        ("kernel.sem", "kernel.sem", "allowedUnsafeSysctls[0]: kernel.sem kernel.sem"),
        ("kernel.*", "net.*", ""),
        ("kernel.sem", "kernel.sem2", ""),
    ],
)
def test_the_two_lists_do_not_overlap(allowed: str, banned: str, refused: str) -> None:
    expected = []
    if refused:
        place, narrow, wide = refused.split(" ")
        expected = [f'{place} Invalid value: "{narrow}": sysctl overlaps with {wide}']
    assert errors(allowedUnsafeSysctls=[allowed], forbiddenSysctls=[banned]) == expected


def test_a_star_stands_alone() -> None:
    assert errors(allowedUnsafeSysctls=["*", "kernel.sem"]) == [
        "allowedUnsafeSysctls.items: Forbidden: if '*' is present, must not specify other sysctls"
    ]


def test_a_long_name_of_a_sysctl_is_refused_quickly() -> None:
    assert len(errors(allowedUnsafeSysctls=["a-" * 126 + "!", "a." * 126 + "!"])) == 2
