"""An operator of Widgets, as one writes it with kopf: a ConfigMap for each, kept in step, and gone with it."""

from __future__ import annotations

from typing import Any

import kopf
from kubernetes import client, config


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Log in as the kubeconfig says; tell of events."""
    config.load_kube_config()
    settings.posting.enabled = True
    settings.scanning.disabled = False


@kopf.on.resume("widgets")
@kopf.on.create("widgets")
def create(name: str, namespace: str, spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    """A ConfigMap says the size."""
    body = {"metadata": {"name": name}, "data": {"size": str(spec["size"])}}
    kopf.adopt(body)
    core = client.CoreV1Api()
    try:
        core.create_namespaced_config_map(namespace, body)
    except client.ApiException as error:
        if error.status != 409:
            raise
        core.patch_namespaced_config_map(name, namespace, {"metadata": {"annotations": {"resumed": "yes"}}})
    patch.status["replicas"] = spec["replicas"]


@kopf.on.update("widgets", field="spec.size")
def update(name: str, namespace: str, new: int, body: kopf.Body, **_: Any) -> None:
    """The ConfigMap follows."""
    client.CoreV1Api().patch_namespaced_config_map(name, namespace, {"data": {"size": str(new)}})
    kopf.info(body, reason="Resized", message=f"to {new}")


@kopf.on.delete("widgets")
def delete(name: str, namespace: str, **_: Any) -> None:
    """The ConfigMap goes before its Widget does."""
    client.CoreV1Api().delete_namespaced_config_map(name, namespace)
