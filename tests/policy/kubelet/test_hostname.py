"""A Pod's host name: where it comes from, when it has a domain, and when it is refused."""

import pytest

from podward.api.core import ObjectMeta, Pod, PodSpec
from podward.api.effective import Place
from podward.path import path
from podward.policy.kubelet import hostname

HERE = Place("pod.yaml", path())


def pod(name: str = "web", **spec: object) -> Pod:
    return Pod(ObjectMeta(name, namespace="shop"), PodSpec(**spec))  # type: ignore[arg-type]  # fields of a PodSpec


@pytest.mark.parametrize(
    ("written", "told", "decided_by"),
    [
        (pod(), "web", "pod.yaml metadata.name"),
        (pod(hostname="db"), "db", "pod.yaml spec.hostname"),
        (pod(hostname="db", subdomain="sql"), "db", "pod.yaml spec.hostname"),
        (pod(hostname_override="a.b.example"), "a.b.example", "pod.yaml spec.hostnameOverride"),
        (pod(subdomain="sql", set_hostname_as_fqdn=True), "web.sql.shop.svc.cluster.local", "setHostnameAsFQDN"),
        (pod(set_hostname_as_fqdn=True), "web", "metadata.name"),
        (pod(host_network=True, hostname="db"), "", "pod.yaml spec.hostNetwork"),
        (pod("a" * 62 + "-b"), "a" * 62, "metadata.name"),
    ],
)
def test_the_sandbox_is_told_the_name(written: Pod, told: str, decided_by: str) -> None:
    decided = hostname.decide(written, HERE)
    assert decided.assignments[0].value == told
    assert str(decided.assignments[0].source).endswith(decided_by)


def test_a_name_with_its_domain_that_the_kernel_does_not_take_refuses_the_pod() -> None:
    decided = hostname.decide(pod("a" * 38, subdomain="sql", set_hostname_as_fqdn=True), HERE)
    assert [str(violation.path) for violation in decided.violations] == ["spec.setHostnameAsFQDN"]
    assert decided.violations[0].reason == (
        "failed to construct FQDN from pod hostname and cluster domain, FQDN "
        f"{'a' * 38}.sql.shop.svc.cluster.local is too long (64 characters is the max, 65 characters requested)"
    )
    assert not hostname.decide(pod("a" * 37, subdomain="sql", set_hostname_as_fqdn=True), HERE).refused


def test_an_overridden_name_has_no_domain() -> None:
    assert hostname.domain(pod(subdomain="sql")) == "sql.shop.svc.cluster.local"
    assert hostname.domain(pod(subdomain="sql", hostname_override="other")) == ""
