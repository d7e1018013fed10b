"""An informer of ConfigMaps as one writes it: list, watch from there, and list again when the version is gone.

usage: informer.py VERSION      the first watch begins at this version, as after a long sleep
"""

from __future__ import annotations

import sys

from kubernetes import client, config, watch


def main() -> None:
    config.load_kube_config()
    core = client.CoreV1Api()
    version = sys.argv[1]
    while True:
        try:
            for event in watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=version):
                version = event["object"].metadata.resource_version
                print(event["type"], event["object"].metadata.name, flush=True)
        except client.ApiException as error:
            print("ERROR", error.status, flush=True)
            listed = core.list_namespaced_config_map("default")
            version = listed.metadata.resource_version
            print("LISTED", *(each.metadata.name for each in listed.items), flush=True)


main()
