"""The SCCs that `--scc` names may be used by everybody, and nothing else is granted by that."""

from __future__ import annotations

import msgspec
import pytest

from podward.access.named_sccs import NamedSccs
from podward.api.authorization import NO_OPINION, Opinion
from podward.api.caller import User
from podward.policy.scc.access import use_of

NAMED = NamedSccs(frozenset(("anyuid",)))
USE = use_of("anyuid", User("alice"), "shop")


def test_the_named_one_may_be_used_by_everybody_everywhere() -> None:
    for wanted in (USE, use_of("anyuid", User(), "other"), use_of("anyuid", User(), "")):
        answer = NAMED.authorize(wanted)
        assert answer.opinion is Opinion.ALLOW
        assert str(answer.source).strip() == "--scc anyuid"


def test_no_other_may() -> None:
    assert NAMED.authorize(use_of("privileged", User("alice"), "shop")) is NO_OPINION
    assert NamedSccs(frozenset()).authorize(USE) is NO_OPINION


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "get"},
        {"group": ""},
        {"resource": "secrets"},
        {"subresource": "status"},
        {"path": "/healthz"},
    ],
)
def test_it_is_about_the_use_of_sccs_alone(change: dict[str, str]) -> None:
    assert NAMED.authorize(msgspec.structs.replace(USE, **change)) is NO_OPINION
