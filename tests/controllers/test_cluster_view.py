"""What the scheduler knows of a cluster, as news comes in."""

from __future__ import annotations

import ssl

from pods_and_nodes import pod, raw_node, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.client.api import Client
from podward.client.connection import Connection
from podward.client.informer import Change, Informers
from podward.controllers.cluster_view import NODES, PODS, ClusterView, Concerns
from podward.documents.raw_fields import member
from podward.policy.scheduling.facts import pod_facts


class News:
    """A view, and changes that it hears of."""

    def __init__(self) -> None:
        context = ssl.create_default_context()
        self._informers = Informers(Client(Connection("https://localhost:1", context, context), "test"))
        self.changes = 0
        self.concerns: Concerns = lambda _pod: False
        self.view = ClusterView(self._informers, lambda _old, _new: None, self._note)
        self._known: dict[str, JsonObject] = {}

    def _note(self, concerns: Concerns) -> None:
        self.changes += 1
        self.concerns = concerns

    def node(self, **spec: Json) -> None:
        self._tell(NODES, raw_node("n1", None, **spec))

    def pod(self, raw: JsonObject, nominated: str = "") -> None:
        status: JsonObject = {"nominatedNodeName": nominated} if nominated else {}
        self._tell(PODS, {**raw, "status": status})

    def _tell(self, resource: object, raw: JsonObject) -> None:
        informer = self._informers.of(NODES if resource is NODES else PODS)
        key = str(raw["metadata"])
        change = Change(self._known.get(key), raw)
        self._known[key] = raw
        for listener in informer.listeners:
            listener(change)

    def nominated(self) -> list[str]:
        return [pod.name for pod in self.view.cluster().nominated.get("n1", ())]

    def there(self) -> list[str]:
        (node,) = self.view.cluster().nodes
        return [pod.name for pod in node.pods]


def test_a_pod_that_was_placed_counts_before_the_server_says_so() -> None:
    news = News()
    news.node()
    raw = raw_pod("web", requests={"cpu": "1"})
    news.pod(raw)
    news.view.assume(pod_facts(raw), "n1")
    assert news.there() == ["web"]
    assert news.view.cluster().nodes[0].requested == {"cpu": 1000}
    bound = raw_pod("web", "n1", requests={"cpu": "1"})
    news.pod(bound)
    assert news.there() == ["web"]
    assert not news.view.is_assumed("uid-web")


def test_what_was_not_bound_counts_no_more() -> None:
    news = News()
    news.node()
    raw = raw_pod("web")
    news.pod(raw)
    news.view.assume(pod_facts(raw), "n1")
    news.view.unassume("uid-web")
    assert news.there() == []


def test_older_news_takes_no_nomination_away() -> None:
    news = News()
    news.node()
    raw = raw_pod("vip", priority=10)
    news.pod(raw)
    news.view.nominate(pod_facts(raw), "n1")
    news.pod(raw)
    assert news.nominated() == ["vip"]
    news.pod(raw, "n1")
    assert news.nominated() == ["vip"]
    news.pod(raw)
    assert news.nominated() == []


def test_a_heartbeat_of_a_node_lets_no_pod_fit() -> None:
    news = News()
    news.node()
    before = news.changes
    news.node()
    assert news.changes == before
    news.node(unschedulable=True)
    assert news.changes == before + 1


def test_a_pod_that_begins_to_end_concerns_those_alone_that_are_spread_over_it() -> None:
    news = News()
    news.node()
    raw = raw_pod("old", "n1", {"app": "web"})
    news.pod(raw)
    before = news.changes
    news.pod({**raw, "metadata": {**member(raw, "metadata"), "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert news.changes == before + 1
    constraint: JsonObject = {
        "maxSkew": 1, "topologyKey": "x", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    assert news.concerns(pod("new", topologySpreadConstraints=[constraint]))
    assert not news.concerns(pod("new"))
