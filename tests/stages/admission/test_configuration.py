"""The file that configures admission plugins: what it says, and where it is wrong."""

from __future__ import annotations

import pytest

from podward.errors import InputError
from podward.policy.pss.standard import Level
from podward.stages.admission.configuration import Configured, read

_HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n"
_SECURITY = """apiVersion: pod-security.admission.config.k8s.io/v1
kind: PodSecurityConfiguration
defaults:
  enforce: baseline
  enforce-version: v1.30
exemptions:
  usernames: [robot]
  namespaces: [kube-system]
  runtimeClasses: [kata]
"""


def _nothing(name: str) -> bytes:
    raise AssertionError(name)


def _inline(plugin: str, text: str) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{_HEAD}- name: {plugin}\n  configuration:\n{lines}"


def _read(plugin: str, text: str) -> Configured:
    return read(_inline(plugin, text).encode(), "/etc/admission.yaml", _nothing)


def test_pod_security_is_configured_in_place_or_in_a_file_beside_it() -> None:
    inline = _read("PodSecurity", _SECURITY).pod_security
    assert inline.defaults.enforce.level is Level.BASELINE
    assert inline.defaults.warn.level is Level.PRIVILEGED
    assert inline.exemptions.usernames == {"robot"}
    assert inline.exemptions.runtime_classes == {"kata"}
    asked: list[str] = []

    def read_file(name: str) -> bytes:
        asked.append(name)
        return _SECURITY.encode()

    by_path = f"{_HEAD}- name: PodSecurity\n  path: security.yaml\n"
    assert read(by_path.encode(), "/etc/admission.yaml", read_file).pod_security == inline
    assert asked == ["/etc/security.yaml"]


def test_the_other_plugins_have_a_configuration_too() -> None:
    selectors = "podNodeSelectorPluginConfig:\n  clusterDefaultNodeSelector: a=b\n  shop: c=d,e=f\n"
    assert _read("PodNodeSelector", selectors).plugins.node_selectors["shop"] == "c=d,e=f"
    tolerations = (
        "apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1\nkind: Configuration\n"
        "default: [{key: k, operator: Exists}]\n"
    )
    found = _read("PodTolerationRestriction", tolerations).plugins
    assert (found.default_tolerations, found.allowed_tolerations) == (({"key": "k", "operator": "Exists"},), ())
    events = (
        "apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\n"
        "limits: [{type: Namespace, qps: 5, burst: 9}]\n"
    )
    (limit,) = _read("EventRateLimit", events).plugins.event_limits
    assert (limit.of, limit.each_second, limit.at_once, limit.remembered) == ("Namespace", 5, 9, 4096)
    quotas = (
        "apiVersion: apiserver.config.k8s.io/v1\nkind: ResourceQuotaConfiguration\n"
        "limitedResources: [{resource: pods, matchContains: [cpu]}]\n"
    )
    (limited,) = _read("ResourceQuota", quotas).plugins.quota_limits
    assert (limited.resource, limited.contains) == ("pods", ("cpu",))


@pytest.mark.parametrize(
    ("plugin", "text", "line", "why"),
    [
        ("PodSecurity", _SECURITY.replace("baseline", "strict"), 9, "plugins[0].configuration.defaults.enforce: "),
        ("PodSecurity", _SECURITY.replace("  enforce: b", "  enfroce: b"), 9, "enfroce: there is no such field"),
        ("PodSecurity", _SECURITY.replace("[robot]", "[robot, robot]"), 12, "usernames[1]: it stands twice"),
        ("PodSecurity", _SECURITY.replace("PodSecurityC", "C"), 7, "kind: this must be PodSecurityConfiguration"),
        ("PodSecurity", _SECURITY.replace("namespaces", "namespace"), 13, "namespace: there is no such field"),
        ("PodNodeSelector", "podNodeSelectorPluginConfig:\n  shop: c\n", 7, "shop: invalid selector: [c]"),
        ("NamespaceLifecycle", "a: b\n", 4, "plugins[0].name: NamespaceLifecycle has no configuration here"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(plugin: str, text: str, line: int, why: str) -> None:
    with pytest.raises(InputError) as raised:
        _read(plugin, text)
    assert (why in str(raised.value), f"/etc/admission.yaml:{line}" in str(raised.value)) == (True, True), raised.value


def test_a_plugin_is_configured_once() -> None:
    twice = f"{_HEAD}- name: PodSecurity\n- name: PodSecurity\n"
    with pytest.raises(InputError, match="configured twice"):
        read(twice.encode(), "f", _nothing)


def test_a_limit_of_no_kind_or_of_nothing_is_refused() -> None:
    head = "apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\n"
    for limits in ("[]", "[{type: Pod, qps: 1, burst: 1}]", "[{type: User, qps: 0, burst: 1}]"):
        with pytest.raises(InputError):
            _read("EventRateLimit", f"{head}limits: {limits}\n")
