"""The rules of several authorizers are listed together."""

from __future__ import annotations

from podward.access.abac import Abac
from podward.access.known_rules import ALL, NONE, KnownRules, together
from podward.access.objects import PolicyRule
from podward.api.caller import User


def test_rules_and_errors_are_put_together_and_one_gap_makes_them_incomplete() -> None:
    rule = PolicyRule(verbs=("get",))
    found = together([KnownRules((rule,), ("a",)), NONE, KnownRules((), ("b",), incomplete=True), ALL])
    assert found == KnownRules((rule, *ALL.rules), ("a", "b"), incomplete=True)
    assert not together([NONE, ALL]).incomplete


def test_abacs_policies_are_listed_as_rules() -> None:
    version = '"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy"'
    lines = [
        f'{{{version},"spec":{{"user":"alice","namespace":"shop","resource":"pods","apiGroup":"*","readonly":true}}}}',
        f'{{{version},"spec":{{"user":"alice","namespace":"*","nonResourcePath":"/metrics"}}}}',
        f'{{{version},"spec":{{"user":"bob","namespace":"*","resource":"*"}}}}',
    ]
    policies = Abac("\n".join(lines), "abac.jsonl")
    of_pods = PolicyRule(verbs=("get", "list", "watch"), api_groups=("*",), resources=("pods",))
    of_path = PolicyRule(verbs=("*",), non_resource_urls=("/metrics",))
    assert policies.known_rules(User("alice"), "shop").rules == (of_pods, of_path)
    assert policies.known_rules(User("alice"), "other").rules == (of_path,)
