"""ABAC: one policy a line, as kube-apiserver reads and asks it."""

from __future__ import annotations

import pytest

from podward.access.abac import Abac
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User
from podward.errors import InputError

ALICE = User("alice", ("dev", "system:authenticated"))
HEAD = '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":'


def allows(line: str, verb: str = "get", user: User = ALICE, path: str = "", group: str = "") -> bool:
    resource, namespace = ("", "") if path else ("pods", "shop")
    wanted = Attributes(user, verb, group, resource, namespace=namespace, path=path)
    return Abac(line, "abac.jsonl").authorize(wanted).opinion is Opinion.ALLOW


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ('{"user":"alice","namespace":"shop","resource":"pods"}', True),
        ('{"group":"dev","namespace":"*","resource":"*","apiGroup":"*"}', True),
        ('{"user":"*","namespace":"*","resource":"*"}', True),
        ('{"user":"alice","group":"ops","namespace":"*","resource":"*"}', False),
        ('{"user":"alice","namespace":"shop","resource":"pods","apiGroup":"apps"}', False),
        ('{"user":"alice","namespace":"other","resource":"pods"}', False),
        ('{"namespace":"*","resource":"*"}', False),
    ],
)
def test_a_policy_holds_for_whom_and_what_it_names(spec: str, allowed: bool) -> None:  # noqa: FBT001 - a table's column
    assert allows(f"{HEAD}{spec}}}") is allowed


def test_a_readonly_policy_is_for_reading() -> None:
    line = HEAD + '{"user":"alice","namespace":"*","resource":"*","readonly":true}}'
    assert allows(line, "list")
    assert not allows(line, "create")


def test_everybody_means_everybody_authenticated() -> None:
    line = HEAD + '{"group":"*","namespace":"*","resource":"*"}}'
    assert not allows(line, user=User("system:anonymous", ("system:unauthenticated",)))


def test_paths_are_matched_by_their_own_field() -> None:
    line = HEAD + '{"user":"alice","nonResourcePath":"/logs/*"}}'
    assert allows(line, path="/logs/a")
    assert not allows(line, path="/metrics")
    assert not allows(line)


def test_in_the_older_form_what_is_left_out_means_all() -> None:
    assert allows('{"user":"alice"}', "delete", path="/x")
    assert allows("{}", group="apps")
    assert not allows('{"user":"alice","namespace":"shop"}', path="/x")


def test_the_deciding_line_is_the_source_and_no_match_a_reason() -> None:
    text = f'# policies\n\n{HEAD}{{"user":"bob"}}}}\n{{"user":"alice"}}\n'
    answer = Abac(text, "abac.jsonl").authorize(Attributes(ALICE, "get", resource="pods"))
    assert answer.source is not None
    assert (answer.source.name, answer.source.line) == ("abac.jsonl", 4)
    assert Abac("", "f").authorize(Attributes(ALICE, "get", resource="pods")).reason == "No policy matched."


@pytest.mark.parametrize("line", ["{", '{"user":1}', '{"usr":"a"}', '{"apiVersion":"v1","kind":"Policy","spec":{}}'])
def test_a_line_that_is_no_policy_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(InputError, match="error reading policy file f, line 2"):
        Abac(f"# first\n{line}", "f")
