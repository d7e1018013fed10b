"""How much an audit policy wants to be told of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.access.audit.policy import Level
from podward.access.audit.reading import read
from podward.api.authorization import Attributes
from podward.api.caller import User
from podward.errors import InputError

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
ALICE = User("alice", ("dev", "system:authenticated"))
POD = Attributes(ALICE, "get", "", "pods", "", "web", "shop")
LOG = Attributes(ALICE, "get", "", "pods", "log", "web", "shop")
DEPLOYMENT = Attributes(ALICE, "update", "apps", "deployments", "", "web", "shop")
SCALE = Attributes(ALICE, "update", "apps", "deployments", "scale", "web", "shop")
NODE = Attributes(ALICE, "list", "", "nodes")
HEALTH = Attributes(ALICE, "get", path="/healthz/ping")
EVERY = (POD, LOG, DEPLOYMENT, SCALE, NODE, HEALTH)


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        ("{}", EVERY),
        ("users: [alice]", EVERY),
        ("users: [bob]", ()),
        ("userGroups: [ops, dev]", EVERY),
        ("userGroups: [alice]", ()),
        ("verbs: [list, update]", (DEPLOYMENT, SCALE, NODE)),
        ("verbs: ['*']", ()),  # a word like any other
        ("resources: [{group: ''}]", (POD, LOG, NODE)),
        ("resources: [{group: '*'}]", (POD, LOG, DEPLOYMENT, SCALE, NODE)),
        ("resources: [{group: null, resources: [pods]}]", (POD,)),
        ("resources: [{resources: [pods/log]}]", (LOG,)),
        ("resources: [{resources: [pods/*]}]", (POD, LOG)),
        ("resources: [{group: '*', resources: ['*/scale']}]", (SCALE,)),
        ("resources: [{group: apps, resources: ['*']}]", (DEPLOYMENT, SCALE)),
        ("resources: [{resources: [pods], resourceNames: [web]}]", (POD,)),
        ("resources: [{resources: [pods], resourceNames: [other]}]", ()),
        ("namespaces: [shop]", (POD, LOG, DEPLOYMENT, SCALE)),
        ("namespaces: ['']", (NODE,)),
        ("namespaces: ['', shop]\n  resources: [{resources: [pods, nodes]}]", (POD, NODE)),
        ("nonResourceURLs: ['*']", (HEALTH,)),
        ("nonResourceURLs: [/healthz*]", (HEALTH,)),
        ("nonResourceURLs: [/healthz]", ()),
        ("nonResourceURLs: [/version, /healthz/ping]", (HEALTH,)),
    ],
)
def test_a_rule_matches_where_each_of_its_lists_does(rule: str, matched: tuple[Attributes, ...]) -> None:
    written = "" if rule == "{}" else f"  {rule}\n"
    policy = read(f"{HEAD}rules:\n- level: Metadata\n{written}".encode(), "policy.yaml")
    assert tuple(wanted for wanted in EVERY if policy.told(wanted).level is Level.METADATA) == matched
    assert all(policy.told(wanted).level is Level.NONE for wanted in EVERY if wanted not in matched)


def test_the_first_rule_that_matches_decides() -> None:
    rules = "- level: None\n  verbs: [list]\n- level: RequestResponse\n  users: [alice]\n- level: Request\n"
    policy = read(f"{HEAD}rules:\n{rules}".encode(), "policy.yaml")
    assert policy.told(NODE).level is Level.NONE
    assert policy.told(POD).level is Level.REQUEST_RESPONSE
    assert policy.told(Attributes(User("bob"), "get", path="/")).level is Level.REQUEST


def test_stages_are_left_out_by_the_policy_and_by_the_rule() -> None:
    rules = "- level: Metadata\n  verbs: [get]\n  omitStages: [ResponseStarted]\n- level: Metadata\n"
    policy = read(f"{HEAD}omitStages: [RequestReceived]\nrules:\n{rules}".encode(), "policy.yaml")
    assert policy.told(POD).omitted == {"RequestReceived", "ResponseStarted"}
    assert policy.told(NODE).omitted == {"RequestReceived"}


def test_a_rule_overrules_the_policy_about_managed_fields() -> None:
    rules = "- level: Metadata\n  verbs: [get]\n  omitManagedFields: false\n- level: Metadata\n"
    policy = read(f"{HEAD}omitManagedFields: true\nrules:\n{rules}".encode(), "policy.yaml")
    assert not policy.told(POD).omits_managed_fields
    assert policy.told(NODE).omits_managed_fields


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("rules:\n- level: Meta\n", 4, 'rules[0].level: Unsupported value: "Meta"'),
        ("rules:\n- verbs: [get]\n", 4, "rules[0].level: Required value"),
        ("rules:\n- level: None\n  verb: [get]\n", 5, "rules[0].verb: there is no such field"),
        ("rule: []\n", 3, "rule: there is no such field"),
        ("rules:\n- level: None\n  users:\n  - alice\n  - 5\n", 7, "rules[0].users[1]: Expected `str`, got `int`"),
        ("rules: []\n", 3, "rules: Required value"),
        ("", 1, "rules: Required value"),
        ("omitStages: [Received]\nrules:\n- level: None\n", 3, 'omitStages[0]: Invalid value: "Received"'),
        ("rules:\n- level: None\n  omitStages:\n  - Panics\n", 6, 'rules[0].omitStages[0]: Invalid value: "Panics"'),
        ("rules:\n- level: None\n  nonResourceURLs: [healthz]\n", 5, "must"),
        ("rules:\n- level: None\n  nonResourceURLs: ['/a*b']\n", 5, "must be the final character"),
        ("rules:\n- level: None\n  namespaces: [a]\n  nonResourceURLs: [/a]\n", 6, "cannot apply to both"),
        ("rules:\n- level: None\n  resources:\n  - group: apps/v1\n", 6, "rules[0].resources[0].group: Invalid"),
        ("rules:\n- level: None\n  resources:\n  - resourceNames: [a]\n", 6, "requires at least one resource"),
        ("rules: [\n", 3, "invalid YAML"),
    ],
)
def test_a_bad_policy_is_refused_with_its_line(text: str, where: int, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read((HEAD + text).encode(), "policy.yaml")
    assert what in caught.value.what
    assert caught.value.where == f"policy.yaml:{where}"


@pytest.mark.parametrize(
    "text",
    ["", "kind: Policy\n", f"{HEAD}rules: [{{level: None}}]\n---\n{HEAD}rules: [{{level: None}}]\n", "- a\n"],
)
def test_what_is_no_single_policy_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text.encode(), "policy.yaml")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["rules", "omitStages", "metadata", "odd"]), _JSON))
def test_nothing_but_a_policy_or_an_error_comes_of_any_document(written: dict[str, Any]) -> None:
    import json

    document = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", **written}
    with pytest.raises(InputError):  # none of these has a rule with a level
        read(json.dumps(document).encode(), "policy.yaml")
