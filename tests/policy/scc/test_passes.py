"""The two passes, branch by branch, with OpenShift's default SCCs and some of our own."""

from __future__ import annotations

import pytest

from podward.api.admission import Operation
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.api.core import Namespace
from podward.api.json_value import Json, JsonObject
from podward.decision import Origin, Source
from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.passes import admit, prepare, validate
from podward.policy.scc.policies import Policies
from podward.policy.scc.reason import why_chosen
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.selection import Selection, Verdict
from podward.render.patch import apply
from podward.schema.scc.reading import scc_view
from podward.schema.view import pod_view, typed_view

RBAC = Source(Origin.POLICY, "rbac")
UID_RANGE, MCS = "openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.mcs"
ALICE = User("alice", ("system:authenticated",))
UNABLE = 'pods "p" is forbidden: unable to validate against any security context constraint: '
NOT_USABLE = "Forbidden: not usable by user or serviceaccount"
HINT = (
    "no access to scc/restricted: Forbidden: the pod fails to validate against the `restricted-v2` security context "
    "constraint, but would validate successfully against the `restricted` security context constraint"
)
DEFAULT = prepare(map(scc_view, default_sccs()))


class Uses:
    """RBAC that grants these SCCs to everybody, and remembers which it was asked about."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def authorize(self, wanted: Attributes) -> Answer:
        self.asked.append(f"{wanted.user.username} {wanted.name} {wanted.namespace}")
        return Answer(Opinion.ALLOW, RBAC) if wanted.name in self.names else NO_OPINION


def pod(spec: dict[str, Json] | None = None, **annotations: str) -> JsonObject:
    named: dict[str, Json] = {name.replace("_", "-"): value for name, value in annotations.items()}
    metadata: JsonObject = {"name": "p"}
    if named:
        metadata["annotations"] = {f"openshift.io/{name}": value for name, value in named.items()}
    return {"metadata": metadata, "spec": {"containers": [{"name": "c"}], **(spec or {})}}


def context(**members: Json) -> dict[str, Json]:
    return {"containers": [{"name": "c", "securityContext": members}]}


def scc(name: str, **members: Json) -> JsonObject:
    """An SCC that allows what a plain Pod needs and sets nothing, but for `members`."""
    return {
        "metadata": {"name": name},
        "runAsUser": {"type": "RunAsAny"},
        "seLinuxContext": {"type": "RunAsAny"},
        "fsGroup": {"type": "RunAsAny"},
        "supplementalGroups": {"type": "RunAsAny"},
        "volumes": ["*"],
        **members,
    }


def own(*sccs: JsonObject) -> Policies:
    return prepare(map(scc_view, sccs), ())


def namespace(**changes: str | None) -> Namespace:
    annotations: dict[str, Json] = {UID_RANGE: "1000/10", MCS: "s0:c1,c0"}
    for name, value in changes.items():
        key = {"uids": UID_RANGE, "mcs": MCS}[name]
        if value is None:
            del annotations[key]
        else:
            annotations[key] = value
    return typed_view({"metadata": {"name": "ns", "annotations": annotations}}, Namespace, "Namespace")


def facts(
    raw: JsonObject, uses: Uses, old: JsonObject | None = None, subresource: str = "", where: Namespace | None = None
) -> RequestFacts:
    return RequestFacts(
        pod=pod_view(raw),
        raw=raw,
        namespace=where or namespace(),
        namespace_name="ns",
        user=ALICE,
        authorizer=uses,
        operation=Operation.CREATE if old is None else Operation.UPDATE,
        old=old,
        subresource=subresource,
    )


def sentence(selection: Selection) -> str:
    assert not selection.allowed
    (violation,) = selection.decision.violations
    return violation.reason


def set_by(selection: Selection) -> dict[str, object]:
    return {str(assignment.path): assignment.value for assignment in selection.decision.assignments}


def verdicts(selection: Selection) -> dict[str, Verdict]:
    return {candidate.name: candidate.verdict for candidate in selection.candidates}


# --- the mutating pass on create --------------------------------------------------------------------------------------


def test_the_first_scc_that_is_usable_and_fits_is_taken_even_if_a_later_one_would_set_nothing() -> None:
    policies = own(scc("a", readOnlyRootFilesystem=True), scc("b"))
    selection = admit(policies, facts(pod(), Uses("a", "b")))
    assert verdicts(selection) == {"a": Verdict.CHOSEN}
    assert set_by(selection) == {
        "spec.containers[0].securityContext.readOnlyRootFilesystem": True,
        "metadata.annotations[openshift.io/scc]": "a",
        "metadata.annotations[security.openshift.io/validated-scc-subject-type]": "user",
    }


def test_rights_are_asked_for_only_when_an_sccs_turn_has_come() -> None:
    uses = Uses("restricted-v2")
    selection = admit(DEFAULT, facts(pod({"serviceAccountName": "sa"}), uses))
    assert verdicts(selection) == {"anyuid": Verdict.NOT_USABLE, "restricted-v2": Verdict.CHOSEN}
    account = "system:serviceaccount:ns:sa"
    assert uses.asked == [f"{account} anyuid ns", "alice anyuid ns", f"{account} restricted-v2 ns"]
    assert set_by(selection)["metadata.annotations[security.openshift.io/validated-scc-subject-type]"] == (
        "serviceaccount"
    )


def test_what_an_scc_refuses_is_kept_with_it_and_not_mixed_into_what_is_stored() -> None:
    selection = admit(DEFAULT, facts(pod(context(runAsUser=5)), Uses("restricted-v2", "nonroot-v2")))
    assert verdicts(selection)["restricted-v2"] is Verdict.REFUSED
    refused = next(candidate for candidate in selection.candidates if candidate.name == "restricted-v2")
    assert [str(violation.path) for violation in refused.decision.violations] == [
        "spec.containers[0].securityContext.runAsUser"
    ]
    assert selection.chosen is not None
    assert selection.chosen.name == "nonroot-v2"
    assert not selection.decision.violations


def test_the_refusal_lists_every_scc_in_order_and_each_error_once() -> None:
    raw = pod({"hostPID": True})
    errors = sentence(admit(own(scc("b", allowHostPorts=True), scc("a")), facts(raw, Uses("b"))))
    host_pid = "Invalid value: true: Host PID is not allowed to be used"
    assert errors == (
        f'{UNABLE}[provider "a": {NOT_USABLE}, provider b: .spec.hostPID: {host_pid}, '
        f"provider b: .containers[0].hostPID: {host_pid}]"
    )


def test_one_error_has_no_brackets() -> None:
    assert sentence(admit(own(scc("a")), facts(pod(), Uses()))) == f'{UNABLE}provider "a": {NOT_USABLE}'


def test_the_annotations_are_set_anew_where_they_are_wrong_and_left_where_they_are_right() -> None:
    raw = pod(scc="tampered")
    policies, uses = own(scc("a")), Uses("a")
    made = apply(raw, admit(policies, facts(raw, uses)).decision)
    assert made["metadata"] == {
        "name": "p",
        "annotations": {"openshift.io/scc": "a", "security.openshift.io/validated-scc-subject-type": "user"},
    }
    assert not admit(policies, facts(made, uses)).decision.assignments


# --- what must be there before any scc is tried -----------------------------------------------------------------------


def test_missing_sccs_are_named_before_anything_else() -> None:
    policies = prepare(map(scc_view, [scc("anyuid")]), ("z", "anyuid", "b"))
    wanted = 'pods "p" is forbidden: securitycontextconstraints.security.openshift.io cache is missing b, z'
    assert sentence(admit(policies, facts(pod(required_scc="nope"), Uses("anyuid")))) == wanted


def test_without_any_scc_nobody_is_admitted() -> None:
    wanted = 'pods "p" is forbidden: no SecurityContextConstraints found in cluster'
    assert sentence(admit(own(), facts(pod(), Uses("a")))) == wanted
    assert sentence(validate(own(), facts(pod(), Uses("a")))) == wanted


def test_a_namespace_must_exist_and_have_its_two_annotations() -> None:
    policies, uses = own(scc("a")), Uses("a")
    for where, why in (
        (namespace(uids=None, mcs=None), f"unable to find annotation {UID_RANGE}"),
        (namespace(mcs=None), f"unable to find annotation {MCS}"),
    ):
        refused = admit(policies, facts(pod(), uses, where=where))
        assert sentence(refused) == f'pods "p" is forbidden: error fetching namespace "ns": {why}'
    lost = RequestFacts(pod_view(pod()), pod(), None, "ns", ALICE, uses)
    assert sentence(admit(policies, lost)) == (
        'pods "p" is forbidden: error fetching namespace "ns": namespace "ns" not found'
    )
    assert admit(policies, facts(pod(), uses, where=namespace(uids="", mcs=""))).allowed  # nobody needs them


def test_one_scc_that_cannot_be_made_ready_refuses_every_pod_and_all_such_are_listed() -> None:
    policies = own(scc("a"), scc("z", fsGroup={"type": "MayRunAs"}), scc("y", fsGroup={"type": ""}))
    broken = "error creating provider for SCC {} in namespace ns: Unrecognized FSGroup strategy type {}"
    for decided in (admit, validate):
        assert sentence(decided(policies, facts(pod(), Uses("a")))) == (
            f'pods "p" is forbidden: [{broken.format("y", "")}, {broken.format("z", "MayRunAs")}]'
        )


def test_the_validating_pass_makes_the_suggested_scc_ready_first() -> None:
    policies = own(scc("a"), scc("z", fsGroup={"type": "MayRunAs"}), scc("y", fsGroup={"type": ""}))
    errors = sentence(validate(policies, facts(pod(scc="z"), Uses("a"))))
    assert errors.index("SCC z") < errors.index("SCC y")


def test_of_two_sccs_with_one_name_the_later_counts() -> None:
    policies = own(scc("a"), scc("a", readOnlyRootFilesystem=True))
    assert len(policies.ranked) == 1
    assert len(admit(policies, facts(pod(), Uses("a"))).decision.assignments) == 3


# --- the required scc -------------------------------------------------------------------------------------------------


def test_only_the_required_scc_is_tried_and_made_ready() -> None:
    policies = own(scc("a"), scc("b"), scc("broken", fsGroup={"type": "MayRunAs"}))
    selection = admit(policies, facts(pod(required_scc="b"), Uses("a", "b")))
    assert verdicts(selection) == {"b": Verdict.CHOSEN}
    refused = admit(policies, facts(pod(required_scc="b"), Uses("a")))
    assert sentence(refused) == f'{UNABLE}provider "b": {NOT_USABLE}'


def test_a_required_scc_that_is_not_there_refuses_the_pod() -> None:
    assert sentence(admit(own(scc("a")), facts(pod(required_scc="nope"), Uses("a")))) == (
        'pods "p" is forbidden: failed to retrieve the required SCC "nope": '
        'securitycontextconstraints.security.openshift.io "nope" not found'
    )


def test_an_empty_requirement_is_none() -> None:
    assert admit(own(scc("a")), facts(pod(required_scc=""), Uses("a"))).allowed


def test_an_update_may_not_change_the_requirement() -> None:
    policies, uses = own(scc("a"), scc("b")), Uses("a", "b")
    changed = 'pods "p" is forbidden: invalid change of required security context constraint annotation: '
    for new, old in (({"required_scc": "a"}, {}), ({}, {"required_scc": "a"}), ({"required_scc": "a"}, {"scc": "a"})):
        refused = admit(policies, facts(pod(None, **new), uses, pod(None, **old)))
        assert sentence(refused) == f"{changed}openshift.io/required-scc"
    assert admit(policies, facts(pod(required_scc="", scc="a"), uses, pod())).allowed


def test_the_validating_pass_wants_the_requirement_and_the_suggestion_to_agree() -> None:
    policies, uses = own(scc("a"), scc("b")), Uses("a", "b")
    refused = validate(policies, facts(pod(required_scc="a", scc="b"), uses))
    assert sentence(refused) == 'pods "p" is forbidden: required scc/a does not match the suggested scc/b'
    refused = validate(policies, facts(pod(required_scc="a"), uses))
    assert sentence(refused) == 'pods "p" is forbidden: required scc/a does not match the suggested scc/'
    assert validate(policies, facts(pod(required_scc="a", scc="a"), uses)).allowed


# --- updates ----------------------------------------------------------------------------------------------------------


def labelled(raw: JsonObject) -> JsonObject:
    metadata = raw["metadata"]
    assert isinstance(metadata, dict)
    return {**raw, "metadata": {**metadata, "labels": {"new": "1"}}}


def test_an_update_takes_only_an_scc_that_sets_nothing() -> None:
    policies = own(scc("a", readOnlyRootFilesystem=True), scc("b"))
    selection = admit(policies, facts(labelled(pod()), Uses("a", "b"), pod()))
    assert verdicts(selection) == {"a": Verdict.WOULD_CHANGE, "b": Verdict.CHOSEN}
    assert set_by(selection)["metadata.annotations[openshift.io/scc]"] == "b"


def test_an_update_that_every_scc_would_change_has_no_error_to_print() -> None:
    policies = own(scc("a", readOnlyRootFilesystem=True))
    selection = admit(policies, facts(labelled(pod()), Uses("a"), pod()))
    assert sentence(selection) == f"{UNABLE}<nil>"
    assert verdicts(selection) == {"a": Verdict.WOULD_CHANGE}
    assert sentence(validate(policies, facts(labelled(pod()), Uses("a"), pod()))) == f"{UNABLE}[]"


def test_an_update_of_ephemeral_containers_may_set_what_is_inside_them() -> None:
    policies, uses = own(scc("a", requiredDropCapabilities=["KILL"])), Uses("a")
    settled = context(capabilities={"drop": ["KILL"]})
    stored = pod(settled)
    debugged = pod({**settled, "ephemeralContainers": [{"name": "e"}]})
    selection = admit(policies, facts(debugged, uses, stored, "ephemeralcontainers"))
    assert set_by(selection)["spec.ephemeralContainers[0].securityContext.capabilities.drop"] == ("KILL",)
    assert sentence(admit(policies, facts(debugged, uses, stored))) == f"{UNABLE}<nil>"
    unsettled = pod({"ephemeralContainers": [{"name": "e"}]})
    refused = admit(policies, facts(unsettled, uses, pod(), "ephemeralcontainers"))
    assert sentence(refused) == f"{UNABLE}<nil>"
    # The validating pass may not set anything, not even there.
    assert not validate(policies, facts(debugged, uses, stored, "ephemeralcontainers")).allowed
    settled_too = facts(apply(debugged, selection.decision), uses, stored, "ephemeralcontainers")
    assert validate(policies, settled_too).allowed


def test_an_update_that_is_none_of_its_business_passes_without_policies() -> None:
    for decided in (admit, validate):
        selection = decided(own(), facts(pod(), Uses(), pod()))
        assert selection.allowed
        assert selection.chosen is None
        assert selection.left_alone


# --- the validating pass ----------------------------------------------------------------------------------------------


def test_the_suggested_scc_is_tried_first_and_the_rest_keep_their_order() -> None:
    policies = own(*(scc(name) for name in "abcd"))
    selection = validate(policies, facts(pod(scc="c"), Uses()))
    assert [candidate.name for candidate in selection.candidates] == ["c", "a", "b", "d"]
    printed = " ".join(f'provider "{name}": {NOT_USABLE}' for name in "cabd")
    assert sentence(selection) == f"{UNABLE}[{printed}]"


def test_errors_are_not_made_unique_in_the_validating_pass() -> None:
    raw = pod()
    metadata = raw["metadata"]
    assert isinstance(metadata, dict)
    metadata["annotations"] = {"seccomp.security.alpha.kubernetes.io/pod": "localhost/x"}
    policies, uses = own(scc("a"), scc("b")), Uses("a", "b")
    error = "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: Forbidden: seccomp may not be set"
    assert sentence(validate(policies, facts(raw, uses))).count(error) == 2
    assert sentence(admit(policies, facts(raw, uses))).count(error) == 1


def test_a_bogus_suggestion_stays_and_another_scc_may_fit() -> None:
    selection = validate(own(scc("a")), facts(pod(scc="nope"), Uses("a")))
    assert selection.allowed
    assert not selection.decision.assignments


def test_the_validating_pass_takes_only_an_scc_that_sets_nothing() -> None:
    policies = own(scc("a", readOnlyRootFilesystem=True), scc("b"))
    selection = validate(policies, facts(pod(scc="a"), Uses("a", "b")))
    assert verdicts(selection) == {"a": Verdict.WOULD_CHANGE, "b": Verdict.CHOSEN}


def test_the_second_pass_decides_for_itself() -> None:
    class Once(Uses):
        """A right that is withdrawn between the passes."""

        def authorize(self, wanted: Attributes) -> Answer:
            granted = super().authorize(wanted)
            self.names = ()
            return granted

    policies, once = own(scc("a")), Once("a")
    admitted = admit(policies, facts(pod(), once))
    assert admitted.allowed
    validated = validate(policies, facts(apply(pod(), admitted.decision), once))
    assert sentence(validated) == f'{UNABLE}[provider "a": {NOT_USABLE}]'


# --- the hint about restricted ----------------------------------------------------------------------------------------


def test_the_hint_is_given_where_restricted_would_have_fit() -> None:
    raw = pod(context(allowPrivilegeEscalation=True))
    assert sentence(admit(DEFAULT, facts(raw, Uses("restricted-v2")))).endswith(f", {HINT}]")
    assert sentence(validate(DEFAULT, facts(raw, Uses("restricted-v2")))).endswith(f" {HINT}]")
    # Also where nobody may use restricted-v2 either: it was tried.
    assert sentence(admit(DEFAULT, facts(raw, Uses()))).endswith(f", {HINT}]")


@pytest.mark.parametrize(
    ("raw", "names", "policies"),
    [
        (pod(context(privileged=True)), ("restricted-v2",), DEFAULT),  # restricted refuses it too
        (pod(context(runAsUser=0)), ("restricted-v2", "restricted"), DEFAULT),  # restricted was usable
        (pod({}, required_scc="restricted"), (), DEFAULT),  # restricted-v2 was not tried
        (pod(), (), own(scc("restricted"))),  # there is no restricted-v2
        (pod(), (), own(scc("restricted-v2"))),  # there is no restricted
    ],
)
def test_the_hint_is_not_given_otherwise(raw: JsonObject, names: tuple[str, ...], policies: Policies) -> None:
    assert HINT not in sentence(admit(policies, facts(raw, Uses(*names))))


# --- why the one that was chosen won ----------------------------------------------------------------------------------


def test_why_the_chosen_one_won() -> None:
    def why(raw: JsonObject, *names: str) -> str:
        request = facts(raw, Uses(*names))
        return why_chosen(DEFAULT, request, admit(DEFAULT, request))

    chosen = '"{}" is most restrictive, not denied, and chosen over "{}" because "{}" {}'
    assert why(pod(), "restricted-v2", "privileged") == chosen.format(
        "restricted-v2", "privileged", "restricted-v2", "forbids privileged"
    )
    assert why(pod(), "restricted-v2", "restricted-v3", "privileged") == chosen.format(
        "restricted-v2", "privileged", "restricted-v2", "forbids privileged"
    )  # restricted-v3 would not have admitted it
    assert why(pod(), "anyuid", "nonroot") == chosen.format("anyuid", "nonroot", "anyuid", "has higher priority")
    assert why(pod(context(runAsUser=5)), "restricted-v2", "nonroot-v2") == (
        '"nonroot-v2" is the only one not too restrictive and not denied'
    )
    assert why(pod(context(runAsUser=5)), "restricted-v2") == "all too restrictive or denied"
    assert why(pod()) == "all denied"
    assert why(pod({}, required_scc="anyuid"), "anyuid") == (
        '"anyuid" is required by the annotation openshift.io/required-scc'
    )
    assert why(pod({"os": {"name": "windows"}})) == "spec.os.name is windows"
