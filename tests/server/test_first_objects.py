"""What is there when a server has started: its own Service, default roles and bindings completed."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from api_server import Server, running
from cryptography.x509 import IPAddress, SubjectAlternativeName, load_pem_x509_certificate

ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
EMPTY, OWN, LEFT = "system:node-proxier", "system:discovery", "system:basic-user"
REBOUND = "system:public-info-viewer"
PATCH = {"Content_Type": "application/merge-patch+json"}
RULE = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["cakes"]}


def role(server: Server, name: str) -> dict[str, object]:
    code, found, _ = server.ask("GET", f"{ROLES}/{name}")
    assert code == 200
    assert isinstance(found, dict)
    return found


def grants(server: Server, name: str) -> set[tuple[str, str]]:
    """The verbs and resources of a role, however its rules group them."""
    rules = role(server, name)["rules"]
    assert isinstance(rules, list)
    return {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule.get("resources", [""])}


def test_roles_and_bindings_are_completed_and_left_alone_where_somebody_said_so(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        before = {name: grants(server, name) for name in (EMPTY, OWN)}
        untouched = role(server, "view")
        server.ask("PATCH", f"{ROLES}/{EMPTY}", {"rules": []}, **PATCH)
        server.ask("PATCH", f"{ROLES}/{OWN}", {"rules": [RULE]}, **PATCH)
        annotations = {"rbac.authorization.kubernetes.io/autoupdate": "false"}
        server.ask("PATCH", f"{ROLES}/{LEFT}", {"rules": [], "metadata": {"annotations": annotations}}, **PATCH)
        _, binding, _ = server.ask("GET", f"{BINDINGS}/{REBOUND}")
        server.ask("DELETE", f"{BINDINGS}/{REBOUND}")
        other = {**binding["roleRef"], "name": "view"}
        metadata = {"name": REBOUND}
        code, _, _ = server.ask("POST", BINDINGS, {**binding, "metadata": metadata, "roleRef": other})
        assert code == 201
    with running(tmp_path) as server:
        assert grants(server, EMPTY) == before[EMPTY]
        assert grants(server, OWN) == before[OWN] | {("get", "cakes")}
        assert not role(server, LEFT)["rules"]
        assert server.ask("GET", f"{BINDINGS}/{REBOUND}")[1]["roleRef"] == binding["roleRef"]
        assert role(server, "view") == untouched


def test_the_certificate_is_for_the_address_of_the_servers_own_service(tmp_path: Path) -> None:
    with running(tmp_path, "--service-cluster-ip-range", "10.9.0.0/24") as server:
        _, service, _ = server.ask("GET", "/api/v1/namespaces/default/services/kubernetes")
        address = service["spec"]["clusterIP"]
        where = urlsplit(server.url)
        certificate = ssl.get_server_certificate((str(where.hostname), int(where.port or 0)))
    names = load_pem_x509_certificate(certificate.encode()).extensions.get_extension_for_class(SubjectAlternativeName)
    assert address == "10.9.0.1"
    assert address in map(str, names.value.get_values_for_type(IPAddress))
