"""Volumes that are directories of this machine: what such a volume is, and its directory made and removed.

A volume's directory has the volume's own name, below one directory of root's that nobody else enters; what is removed
is found by that name alone, never by a path that somebody wrote, and no symbolic link is followed.
"""

from __future__ import annotations

import os
import re
import shutil

from podward.api.json_value import JsonObject
from podward.api.scheduling import StorageClass
from podward.controllers.volumes.binding import PROVISIONED_BY, SELECTED_NODE, annotations_of, mode_of
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text
from podward.schema.volume_matching import FILESYSTEM

PROVISIONER = "podward.dev/local-directory"
_NAME = re.compile(r"pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def name_of(claim: JsonObject) -> str:
    """The name of the volume that is made for a claim."""
    return f"pvc-{member(claim, 'metadata').get('uid')}"


def volume_of(claim: JsonObject, of_class: StorageClass, directory: str) -> JsonObject | str:
    """The volume to make for a claim, or why there can be none."""
    spec, metadata = member(claim, "spec"), member(claim, "metadata")
    name = name_of(claim)
    node = annotations_of(claim).get(SELECTED_NODE, "")
    if not _NAME.fullmatch(name):
        return f"the claim's uid is none that a server gives: {name!r}"
    if mode_of(claim) != FILESYSTEM:
        return "a directory is no block device"
    if spec.get("selector"):
        return "claim Selector is not supported"
    if not node:
        return f"a directory is one node's: the class needs volumeBindingMode WaitForFirstConsumer ({PROVISIONER})"
    here: JsonObject = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    made: JsonObject = {
        "capacity": {"storage": member(member(spec, "resources"), "requests").get("storage")},
        "accessModes": spec.get("accessModes"),
        "persistentVolumeReclaimPolicy": of_class.reclaim_policy or "Delete",
        "storageClassName": of_class.metadata.name,
        "volumeMode": FILESYSTEM,
        "local": {"path": f"{directory}/{name}"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": metadata.get("namespace"),
            "name": metadata.get("name"),
            "uid": metadata.get("uid"),
            "resourceVersion": metadata.get("resourceVersion"),
        },
    }
    if of_class.mount_options:
        made["mountOptions"] = [*of_class.mount_options]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": made,
    }


def is_ours(volume: JsonObject) -> bool:
    """Whether it is such a volume."""
    return annotations_of(volume).get(PROVISIONED_BY) == PROVISIONER and bool(
        _NAME.fullmatch(text(member(volume, "metadata"), "name"))
    )


def make(directory: str, name: str) -> None:
    """Make a volume's directory, which every user may write in who is given it; one that is there is fine."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.mkdir(name, 0o700, dir_fd=place)
    except FileExistsError:
        return
    else:
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
        try:
            os.fchmod(made, 0o777)
        finally:
            os.close(made)
    finally:
        os.close(place)


def remove(directory: str, name: str) -> None:
    """Remove a volume's directory with all that is in it; one that is gone is fine. Raises OSError."""
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    try:
        place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        shutil.rmtree(name, dir_fd=place)
    except FileNotFoundError:
        return
    finally:
        os.close(place)
