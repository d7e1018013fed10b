"""What holds for every Pod and every set of SCCs."""

from __future__ import annotations

from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.admission import Operation
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.api.core import Namespace
from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Decision, Origin, Source
from podward.documents.patching import overlaid
from podward.path import Path
from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.passes import admit, prepare, validate
from podward.policy.scc.policies import STANDARD_NAMES, Policies
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.selection import Verdict
from podward.policy.scc.updates import same
from podward.render.patch import apply, json_patch
from podward.schema.scc.reading import scc_view
from podward.schema.view import pod_view, typed_view

FEW = settings(max_examples=examples(40, 100))
RBAC = Source(Origin.POLICY, "rbac")
ANNOTATIONS: JsonObject = {
    "openshift.io/sa.scc.uid-range": "1000230000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000230000/10000,5/2",
    "openshift.io/sa.scc.mcs": "s0:c15,c10",
}
NAMES = sorted(scc_view(raw).metadata.name or "" for raw in default_sccs())


class Some:
    """RBAC that grants some SCCs to everybody."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def authorize(self, wanted: Attributes) -> Answer:
        granted = wanted.name in self.names and wanted.user.username and wanted.namespace
        return Answer(Opinion.ALLOW, RBAC) if granted else NO_OPINION


def maybe(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[JsonObject]:
    """Objects with any of these members."""
    return st.fixed_dictionaries({}, optional=members)


IDS = st.sampled_from([0, 1, 5, 1000, 1000230000, 1000230001, 1000239999, 1000240000, 2**31, -1])
CAPABILITIES = st.lists(
    st.sampled_from(["ALL", "KILL", "MKNOD", "NET_BIND_SERVICE", "SYS_ADMIN", "CAP_SYS_ADMIN", "*"])
)
SECCOMP = st.sampled_from(
    ["runtime/default", "docker/default", "unconfined", "localhost/a.json", "localhost/", "", "x"]
)
PROFILE = st.sampled_from(
    [{"type": "RuntimeDefault"}, {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "a.json"}, None]
)
SELINUX = maybe(level=st.sampled_from(["s0:c15,c10", "s0:c10,c15", "s0", ""]), type=st.just("spc_t"), user=st.just("u"))
CONTEXT = maybe(
    runAsUser=IDS,
    runAsGroup=IDS,
    runAsNonRoot=st.booleans(),
    privileged=st.booleans(),
    allowPrivilegeEscalation=st.booleans(),
    readOnlyRootFilesystem=st.booleans(),
    capabilities=maybe(add=CAPABILITIES, drop=CAPABILITIES),
    seLinuxOptions=SELINUX,
    seccompProfile=PROFILE,
)
UNKNOWN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CONTAINER = st.builds(
    lambda context, ports, unknown: {**context, **ports, **unknown},
    maybe(securityContext=st.none() | CONTEXT),
    maybe(ports=st.lists(maybe(hostPort=st.sampled_from([0, 80]), containerPort=st.just(80)), max_size=2)),
    maybe(newField=UNKNOWN, newField2=UNKNOWN),
)
VOLUMES = st.lists(
    st.sampled_from(["emptyDir", "hostPath", "secret", "nfs", "projected", "brandNew"]).flatmap(
        lambda kind: st.builds(lambda value: {"name": "v", kind: {}, "newInVolume": value}, UNKNOWN)
    ),
    max_size=2,
)
POD_CONTEXT = maybe(
    runAsUser=IDS,
    fsGroup=IDS,
    supplementalGroups=st.lists(IDS, max_size=2),
    seLinuxOptions=SELINUX,
    seccompProfile=PROFILE,
    runAsNonRoot=st.booleans(),
    sysctls=st.lists(st.sampled_from([{"name": "kernel.shm_rmid_forced", "value": "1"}, {"name": "a", "value": "1"}])),
)
SPEC = st.fixed_dictionaries(
    {"containers": st.lists(CONTAINER, min_size=1, max_size=2)},
    optional={
        "initContainers": st.lists(CONTAINER, max_size=1),
        "ephemeralContainers": st.lists(CONTAINER, max_size=1),
        "securityContext": st.none() | POD_CONTEXT,
        "volumes": VOLUMES,
        "hostNetwork": st.booleans(),
        "hostPID": st.booleans(),
        "hostUsers": st.booleans(),
        "serviceAccountName": st.sampled_from(["default", ""]),
        "newInSpec": UNKNOWN,
    },
)
METADATA = maybe(
    name=st.just("p"),
    annotations=st.none()
    | st.dictionaries(
        st.sampled_from(
            [
                "seccomp.security.alpha.kubernetes.io/pod",
                "container.seccomp.security.alpha.kubernetes.io/c0",
                "openshift.io/scc",
                "other",
            ]
        ),
        SECCOMP,
    ),
    newInMetadata=UNKNOWN,
)


def with_names(spec: dict[str, Any]) -> JsonObject:
    """Containers need names; the annotation of seccomp is about c0."""
    number = 0
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            container["name"] = f"c{number}"
            number += 1
    return spec


PODS = st.builds(
    lambda spec, metadata, top: {
        "apiVersion": "v1",
        "kind": "Pod",
        **top,
        "metadata": metadata,
        "spec": with_names(spec),
    },
    SPEC,
    METADATA,
    maybe(newAtTop=UNKNOWN, status=st.just({"phase": "Pending"})),
)
DEFAULT = prepare(map(scc_view, default_sccs()))
RANGES = st.lists(st.sampled_from([{"min": 1, "max": 5}, {"min": 1000, "max": 2000}, {"min": 9, "max": 3}]), max_size=2)
GROUPS = st.builds(
    lambda kind, ranges: {"type": kind, "ranges": ranges},
    st.sampled_from(["MustRunAs", "RunAsAny"]),
    st.none() | RANGES,
)
CUSTOM = st.fixed_dictionaries(
    {
        "runAsUser": st.sampled_from(
            [
                {"type": "RunAsAny"},
                {"type": "MustRunAsNonRoot"},
                {"type": "MustRunAsRange"},
                {"type": "MustRunAsRange", "uidRangeMin": 0, "uidRangeMax": 1000},
                {"type": "MustRunAs", "uid": 5},
                {"type": "MustRunAs", "uid": 0},
            ]
        ),
        "seLinuxContext": st.builds(
            lambda kind, options: {"type": kind, "seLinuxOptions": options},
            st.sampled_from(["MustRunAs", "RunAsAny"]),
            st.none() | SELINUX,
        ),
        "fsGroup": GROUPS,
        "supplementalGroups": GROUPS,
        "volumes": st.just(["*"]) | st.just(["emptyDir", "secret"]),
    },
    optional={
        "readOnlyRootFilesystem": st.booleans(),
        "allowPrivilegedContainer": st.booleans(),
        "allowPrivilegeEscalation": st.booleans(),
        "defaultAllowPrivilegeEscalation": st.booleans(),
        "defaultAddCapabilities": CAPABILITIES,
        "requiredDropCapabilities": CAPABILITIES,
        "allowedCapabilities": CAPABILITIES,
        "allowHostNetwork": st.booleans(),
        "allowHostPorts": st.just(True),
        "seccompProfiles": st.lists(SECCOMP | st.just("*"), max_size=2),
        "allowedUnsafeSysctls": st.just(["*"]),
        "userNamespaceLevel": st.sampled_from(["AllowHostLevel", "RequirePodLevel"]),
    },
)


class Setting:
    """Policies and the SCCs of them that are granted."""

    def __init__(self, policies: Policies, granted: set[str]) -> None:
        self.policies = policies
        self.granted = granted

    def __repr__(self) -> str:
        return f"Setting({[entry.scc for entry in self.policies.ranked if entry.rank.name in self.granted]})"


def custom(sccs: list[dict[str, Any]]) -> Setting:
    named = [{**raw, "metadata": {"name": f"own-{number}"}} for number, raw in enumerate(sccs)]
    return Setting(prepare(map(scc_view, named), ()), {f"own-{number}" for number in range(len(sccs))})


SETTINGS = st.sets(st.sampled_from(NAMES), min_size=1).map(lambda names: Setting(DEFAULT, names)) | st.lists(
    st.builds(dict[str, Any], CUSTOM), min_size=1, max_size=2
).map(custom)
NAMESPACE = typed_view({"metadata": {"name": "ns", "annotations": ANNOTATIONS}}, Namespace, "Namespace")


def facts(raw: JsonObject, granted: set[str], namespace: Namespace | None = NAMESPACE) -> RequestFacts:
    return RequestFacts(pod_view(raw), raw, namespace, "ns", User("alice"), Some(granted))


@pytest.mark.proof
@FEW
@given(PODS, SETTINGS)
def test_deciding_again_on_the_stored_pod_sets_nothing(raw: JsonObject, setting: Setting) -> None:
    first = admit(setting.policies, facts(raw, setting.granted))
    if first.chosen is not None:
        again = admit(setting.policies, facts(apply(raw, first.decision), setting.granted))
        assert again.allowed
        chosen = next(c for c in again.candidates if c.name == first.chosen.name)
        if chosen is again.chosen:
            assert again.decision == Decision()


@pytest.mark.proof
@FEW
@given(PODS, SETTINGS)
def test_what_is_set_changes_the_pod(raw: JsonObject, setting: Setting) -> None:
    """An update takes an SCC that sets nothing: an assignment that changes nothing would make it miss one."""
    for candidate in admit(setting.policies, facts(raw, setting.granted)).candidates:
        for assignment in candidate.decision.assignments:
            alone = apply(raw, Decision((assignment,)))
            assert not same(alone, raw, "Pod"), assignment


@pytest.mark.proof
@FEW
@given(PODS, SETTINGS)
def test_the_stored_pod_passes_validation(raw: JsonObject, setting: Setting) -> None:
    admitted = admit(setting.policies, facts(raw, setting.granted))
    if admitted.allowed:
        stored = facts(overlaid(raw, admitted.decision), setting.granted)
        validated = validate(setting.policies, stored)
        assert validated.allowed
        assert validated.chosen is not None
        assert validated.decision == Decision()
        assert stored.annotation("openshift.io/scc") == validated.chosen.name


@pytest.mark.proof
@FEW
@given(PODS, SETTINGS)
def test_an_independent_library_makes_the_same_pod_of_our_patch(raw: JsonObject, setting: Setting) -> None:
    before = copied_object(raw)
    admitted = admit(setting.policies, facts(raw, setting.granted))
    operations = msgspec.to_builtins(json_patch(raw, admitted.decision))
    if admitted.allowed:
        stored = overlaid(raw, admitted.decision)
        assert jsonpatch.apply_patch(raw, operations) == apply(raw, admitted.decision) == stored
    assert raw == before


@pytest.mark.proof
@FEW
@given(PODS, SETTINGS)
def test_what_is_not_set_stays_byte_for_byte(raw: JsonObject, setting: Setting) -> None:
    text = msgspec.json.encode(raw)
    admitted = admit(setting.policies, facts(msgspec.json.decode(text), setting.granted))
    if not admitted.allowed:
        return
    made = msgspec.json.decode(msgspec.json.encode(overlaid(msgspec.json.decode(text), admitted.decision)))
    assigned = [assignment.path.pointer for assignment in admitted.decision.assignments]
    for place, value in leaves(msgspec.json.decode(text), Path()):
        if not any(f"{place.pointer}/".startswith(f"{pointer}/") for pointer in assigned):
            assert msgspec.json.encode(at(made, place)) == msgspec.json.encode(value), place


def leaves(value: Json, place: Path) -> list[tuple[Path, Json]]:
    """Every scalar and every empty container with its place."""
    if isinstance(value, dict) and value:
        return [leaf for name, item in value.items() for leaf in leaves(item, place / name)]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, place / index)]
    # Null, or an empty object, is where parents are made.
    return [] if value is None or value == {} else [(place, value)]


def at(value: Json, place: Path) -> Json:
    for segment in place.segments:
        if isinstance(value, dict) and isinstance(segment, str):
            value = value[segment]
        else:
            assert isinstance(value, list)
            assert isinstance(segment, int)
            value = value[segment]
    return value


@pytest.mark.proof
@FEW
@given(PODS, st.sets(st.sampled_from(sorted(STANDARD_NAMES)), min_size=1))
def test_without_a_demanded_scc_nobody_is_admitted(raw: JsonObject, missing: set[str]) -> None:
    rest = [scc for scc in map(scc_view, default_sccs()) if scc.metadata.name not in missing]
    refused(prepare(rest), raw)


@pytest.mark.proof
@FEW
@given(PODS)
def test_no_policy_at_all_admits_nobody(raw: JsonObject) -> None:
    refused(prepare([], ()), raw)
    refused(prepare([]), raw)


@given(PODS, st.sampled_from(["runAsUser", "seLinuxContext", "fsGroup", "supplementalGroups"]))
@settings(max_examples=30)
def test_a_broken_policy_that_nobody_may_use_admits_nobody(raw: JsonObject, field: str) -> None:
    broken = scc_view({**default_sccs()[0], "metadata": {"name": "broken"}, field: {"type": "MayRunAs"}})
    refused(prepare([*map(scc_view, default_sccs()), broken]), raw, granted=STANDARD_NAMES)


@given(PODS, st.sampled_from([*ANNOTATIONS, "namespace"]), st.sampled_from(["", "x", "-", "1/", "99999999999/2"]))
@settings(max_examples=50)
def test_a_broken_namespace_admits_nobody(raw: JsonObject, name: str, value: str) -> None:
    namespace = typed_view(
        {"metadata": {"name": "ns", "annotations": {**ANNOTATIONS, name: value}}}, Namespace, "Namespace"
    )
    if name == "namespace":
        refused(DEFAULT, raw, namespace=None)
    elif name.endswith("mcs") and value:
        assert admit(DEFAULT, facts(raw, set(NAMES), namespace)).candidates
    else:
        refused(DEFAULT, raw, namespace=namespace)


@pytest.mark.proof
@FEW
@given(PODS)
def test_who_may_use_nothing_is_refused_by_every_scc(raw: JsonObject) -> None:
    for chosen in (admit, validate):
        selection = chosen(DEFAULT, facts(raw, set()))
        assert not selection.allowed
        assert {candidate.verdict for candidate in selection.candidates} == {Verdict.NOT_USABLE}
        assert len(selection.candidates) == len(NAMES)


def refused(
    policies: Policies,
    raw: JsonObject,
    granted: frozenset[str] = frozenset(NAMES),
    namespace: Namespace | None = NAMESPACE,
) -> None:
    request = facts(raw, set(granted), namespace)
    updated = msgspec.structs.replace(request, operation=Operation.UPDATE, old={})
    for selection in (
        admit(policies, request),
        validate(policies, request),
        admit(policies, updated),
        validate(policies, updated),
    ):
        assert not selection.allowed
        assert selection.chosen is None
        assert len(selection.decision.violations) == 1
        assert selection.decision.violations[0].reason.startswith("pods ")
        assert not selection.decision.assignments
