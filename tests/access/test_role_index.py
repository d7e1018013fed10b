"""The index of a role's rules finds a rule exactly where one covers the question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podward.access.aggregation import own_rules
from podward.access.matching import covers
from podward.access.objects import PolicyRule, Role, RoleObject
from podward.access.role_index import RoleIndex
from podward.api.authorization import Attributes
from podward.api.caller import User


def _some(*words: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(st.sampled_from(words), max_size=2).map(tuple)


RULES = st.builds(
    PolicyRule, verbs=_some("get", "*", "list"), api_groups=_some("", "apps", "*"),
    resources=_some("pods", "pods/log", "*/log", "*", "nodes"), resource_names=_some("web", "db"),
    non_resource_urls=_some("/x", "/x/*", "*"),
)  # fmt: skip
RESOURCES = st.builds(
    Attributes, st.just(User("alice")), st.sampled_from(("get", "list")), st.sampled_from(("", "apps")),
    st.sampled_from(("pods", "nodes")), st.sampled_from(("", "log")), st.sampled_from(("", "web")),
)  # fmt: skip
PATHS = st.builds(Attributes, st.just(User("alice")), st.just("get"), path=st.sampled_from(("/x", "/x/y", "/z")))


@given(st.lists(RULES, max_size=4), RESOURCES | PATHS)
def test_a_rule_is_found_where_one_covers_it(rules: list[PolicyRule], wanted: Attributes) -> None:
    every = own_rules(RoleObject(Role(rules=tuple(rules))))
    found = RoleIndex(every).first(wanted)
    assert (found is not None) == any(covers(rule.policy, wanted) for rule in every)
    assert found is None or covers(found.policy, wanted)
