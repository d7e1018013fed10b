"""DeploymentConfigs: completed, refused, scaled, rolled out and back as OpenShift's API server does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_server import Server
from openshift_server import of, openshift_server

APPS = "apps.openshift.io/v1"
CONFIGS = f"/apis/{APPS}/namespaces/shop/deploymentconfigs"
CONTROLLERS = "/api/v1/namespaces/shop/replicationcontrollers"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openshift_server(tmp_path_factory.mktemp("configs")) as started:
        assert started.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})[0] == 201
        yield started


def _config(name: str, **spec: object) -> dict[str, Any]:
    pod = {"containers": [{"name": "web", "image": "web:1"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return of(APPS, "DeploymentConfig", name, spec={"replicas": 1, "template": template, **spec})


def _made(server: Server, name: str, **spec: object) -> dict[str, Any]:
    code, made, _ = server.ask("POST", CONFIGS, _config(name, **spec))
    assert code == 201, made
    found: dict[str, Any] = made
    return found


def test_what_is_not_said_is_filled_in(server: Server) -> None:
    spec = _made(server, "plain")["spec"]
    assert spec["selector"] == {"app": "plain"}
    assert spec["triggers"] == [{"type": "ConfigChange"}]
    assert spec["revisionHistoryLimit"] == 10
    assert spec["strategy"] == {
        "type": "Rolling",
        "activeDeadlineSeconds": 21600,
        "resources": {},
        "rollingParams": {
            "intervalSeconds": 1, "maxSurge": "25%", "maxUnavailable": "25%", "timeoutSeconds": 600,
            "updatePeriodSeconds": 1,
        },
    }  # fmt: skip
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    assert spec["test"] is False


def test_no_trigger_is_none(server: Server) -> None:
    _made(server, "manual", triggers=[])
    assert server.ask("GET", f"{CONFIGS}/manual")[1]["spec"]["triggers"] == []


def test_hooks_are_those_of_the_only_container(server: Server) -> None:
    hook = {"failurePolicy": "Abort", "execNewPod": {"command": ["true"]}}
    made = _made(server, "hooked", strategy={"type": "Recreate", "recreateParams": {"pre": hook}})
    params = made["spec"]["strategy"]["recreateParams"]
    assert params["pre"]["execNewPod"]["containerName"] == "web"
    assert params["timeoutSeconds"] == 600


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"template": None}, "spec.template: Required value"),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: replicas cannot be negative"),
        ({"selector": {"app": "other"}}, "`selector` does not match template `labels`"),
        (
            {"minReadySeconds": 600},
            "spec.minReadySeconds: Invalid value: 600: must be less than the deployment timeout",
        ),
        ({"strategy": {"type": "Odd"}}, 'spec.strategy.type: Invalid value: "Odd": unsupported strategy type'),
        ({"strategy": {"type": "Custom"}}, "spec.strategy.customParams: Required value"),
        (
            {"strategy": {"rollingParams": {"maxUnavailable": 0, "maxSurge": "0%"}}},
            "spec.strategy.rollingParams.maxUnavailable: Invalid value: 0: cannot be 0 when maxSurge is 0 as well",
        ),
        ({"strategy": {"rollingParams": {"timeoutSeconds": 0}}}, "timeoutSeconds: Invalid value: 0: must be >0"),
        (
            {"strategy": {"rollingParams": {"pre": {"failurePolicy": "Abort"}}}},
            "One of execNewPod or tagImages must be specified",
        ),
        ({"strategy": {"activeDeadlineSeconds": 5}}, "activeDeadlineSeconds must be greater than timeoutSeconds"),
        ({"triggers": [{"type": "ImageChange"}]}, "spec.triggers[0].imageChangeParams: Required value"),
        (
            {"triggers": [{"type": "ImageChange", "imageChangeParams": {"from": {"name": "x"}}}]},
            'spec.triggers[0].imageChangeParams.from.name: Invalid value: "x": must be in the form of <name>:<tag>',
        ),
    ],
)
def test_what_openshift_refuses_is_refused(server: Server, spec: dict[str, Any], told: str) -> None:
    code, refused, _ = server.ask("POST", CONFIGS, _config("wrong", **spec))
    assert code == 422, refused
    assert refused["message"].startswith('DeploymentConfig.apps.openshift.io "wrong" is invalid: ')
    assert told in refused["message"]


def test_an_image_that_a_trigger_gives_may_be_missing(server: Server) -> None:
    source = {"from": {"name": "web:latest"}, "containerNames": ["web"], "automatic": True}
    config = _config("built", triggers=[{"type": "ImageChange", "imageChangeParams": source}])
    config["spec"]["template"]["spec"]["containers"][0].pop("image")
    code, made, _ = server.ask("POST", CONFIGS, config)
    assert code == 201, made
    params = made["spec"]["triggers"][0]["imageChangeParams"]
    assert params["from"] == {"kind": "ImageStreamTag", "name": "web:latest"}
    _, table, _ = server.ask("GET", f"{CONFIGS}/built", Accept=TABLE)
    assert table["rows"][0]["cells"] == ["built", 0, "1", 0, "image(web:latest)"]


def test_its_scale_is_its_replicas(server: Server) -> None:
    _made(server, "scaled")
    code, scale, _ = server.ask("PATCH", f"{CONFIGS}/scaled/scale", {"spec": {"replicas": 3}}, Content_Type=MERGE)
    assert (code, scale["kind"], scale["spec"]) == (200, "Scale", {"replicas": 3})
    assert scale["status"]["selector"] == "app=scaled,deploymentconfig=scaled"
    assert server.ask("GET", f"{CONFIGS}/scaled")[1]["spec"]["replicas"] == 3


def _instantiate(server: Server, name: str, *, force: bool = False) -> tuple[int, Any]:
    request = of(APPS, "DeploymentRequest") | {"name": name, "latest": True, "force": force}
    code, answer, _ = server.ask("POST", f"{CONFIGS}/{name}/instantiate", request)
    return code, answer


def _rolled_out(server: Server, config: dict[str, Any]) -> None:
    """What the controller of DeploymentConfigs does for a rollout."""
    name, version = config["metadata"]["name"], config["status"]["latestVersion"]
    annotations = {"openshift.io/encoded-deployment-config": json.dumps(config)}
    labels = {"app": name}
    template = config["spec"]["template"]
    body = {
        "metadata": {"name": f"{name}-{version}", "annotations": annotations},
        "spec": {"replicas": 0, "selector": labels, "template": template},
    }
    assert server.ask("POST", CONTROLLERS, body)[0] == 201


def test_a_rollout_begins_for_a_reason_or_by_force(server: Server) -> None:
    _made(server, "rolled")
    code, config = _instantiate(server, "rolled")
    assert (code, config["status"]["latestVersion"]) == (201, 1)
    assert config["status"]["details"] == {"message": "config change", "causes": [{"type": "ConfigChange"}]}
    code, missing = _instantiate(server, "rolled")
    assert (code, missing["message"]) == (404, 'replicationcontrollers "rolled-1" not found')
    _rolled_out(server, config)
    code, nothing = _instantiate(server, "rolled")
    assert (code, nothing["kind"], nothing["code"]) == (201, "Status", 204)
    code, config = _instantiate(server, "rolled", force=True)
    assert (code, config["status"]["latestVersion"]) == (201, 2)
    assert config["status"]["details"]["causes"] == [{"type": "Manual"}]
    assert config["metadata"]["generation"] == 3


def test_a_paused_one_is_not_rolled_out(server: Server) -> None:
    _made(server, "paused", paused=True)
    code, refused = _instantiate(server, "paused", force=True)
    assert code == 422
    assert 'deployment config "paused" is paused - unpause to request a new deployment' in refused["message"]


def test_the_name_in_the_body_is_that_of_the_path(server: Server) -> None:
    _made(server, "one")
    request = of(APPS, "DeploymentRequest") | {"name": "plain", "latest": True, "force": True}
    assert server.ask("POST", f"{CONFIGS}/one/instantiate", request)[0] == 400


def test_a_client_may_raise_the_number_by_one_and_no_more(server: Server) -> None:
    _made(server, "counted")
    path = f"{CONFIGS}/counted"
    for wanted, found in ((5, 0), (1, 1), (1, 1)):
        server.ask("PATCH", path, {"status": {"latestVersion": wanted, "replicas": 9}}, Content_Type=MERGE)
        status = server.ask("GET", path)[1]["status"]
        assert (status["latestVersion"], status["replicas"]) == (found, 0)
    lower = server.ask("PATCH", f"{path}/status", {"status": {"latestVersion": 0}}, Content_Type=MERGE)
    assert lower[0] == 422
    assert "latestVersion cannot be decremented" in lower[1]["message"]


def test_going_back_shows_the_config_as_it_was(server: Server) -> None:
    first = _made(server, "back")
    rollback = of(APPS, "DeploymentConfigRollback") | {"name": "back", "spec": {"includeTemplate": True}}
    code, refused, _ = server.ask("POST", f"{CONFIGS}/back/rollback", rollback)
    assert code == 422
    assert "cannot rollback an undeployed config" in refused["message"]
    _, first = _instantiate(server, "back")
    _rolled_out(server, first)
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:2"}]
    patched = server.ask("PATCH", f"{CONFIGS}/back", image, Content_Type="application/json-patch+json")
    assert patched[0] == 200
    _, second = _instantiate(server, "back")
    _rolled_out(server, second)
    code, made, _ = server.ask("POST", f"{CONFIGS}/back/rollback", rollback)
    assert code == 201, made
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
    assert made["status"]["latestVersion"] == 3
    assert server.ask("GET", f"{CONFIGS}/back")[1]["status"]["latestVersion"] == 2


def test_logs_say_what_is_missing(server: Server) -> None:
    _made(server, "silent")
    path = f"{CONFIGS}/silent/log"
    code, answer, _ = server.ask("GET", path)
    assert (code, answer["message"]) == (400, 'no deployment exists for deploymentConfig "silent"')
    _, config = _instantiate(server, "silent")
    _rolled_out(server, config)
    code, answer, _ = server.ask("GET", path)
    assert (code, answer["message"]) == (404, 'pods "silent-1-deploy" not found')
    code, answer, _ = server.ask("GET", f"{path}?version=2")
    assert (code, answer["message"]) == (400, 'invalid version for deploymentConfig "silent": 2')


def test_logs_of_a_rollout_that_is_complete_are_its_applications(server: Server) -> None:
    _made(server, "talks")
    _, config = _instantiate(server, "talks")
    _rolled_out(server, config)
    path, done = f"{CONFIGS}/talks/log", {"metadata": {"annotations": {"openshift.io/deployment.phase": "Complete"}}}
    assert server.ask("PATCH", f"{CONTROLLERS}/talks-1", done, Content_Type=MERGE)[0] == 200
    code, answer, _ = server.ask("GET", path)
    assert (code, answer["message"]) == (400, 'deployment "talks-1" has no pods to read logs of')
    account = {"metadata": {"name": "default"}}
    assert server.ask("POST", "/api/v1/namespaces/shop/serviceaccounts", account)[0] == 201
    selected = {"app": "talks", "more": "yes"}
    pod = {"metadata": {"name": "talker", "labels": selected}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    assert server.ask("POST", "/api/v1/namespaces/shop/pods", pod)[0] == 201
    code, answer, _ = server.ask("GET", f"{path}?previous=false&version=1&container=odd")
    assert (code, answer["message"]) == (400, "container odd is not valid for pod talker")


def test_unknown_fields_are_told(server: Server) -> None:
    config = _config("odd", replica=2)
    code, refused, _ = server.ask("POST", f"{CONFIGS}?fieldValidation=Strict", config)
    assert code == 400
    assert 'unknown field "spec.replica"' in refused["message"]
