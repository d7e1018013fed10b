"""When an image is pulled, if the manifest does not say.

Specification: Kubernetes, SetDefaults_Container: `Always` for the tag `latest`, written or implied by having
neither tag nor digest; `IfNotPresent` for any other tag, for a digest, and for what is no image reference at all.
"""

from __future__ import annotations

from podward.api.json_value import Json

_PATH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/")


def default_pull_policy(image: Json) -> str:
    """The default imagePullPolicy for an image reference."""
    reference = image if isinstance(image, str) else ""
    name, has_digest, _ = reference.partition("@")
    directories, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = directories.partition("/")[2] + slash + last if slash else last
    if not last or not _PATH.issuperset(repository):
        return "IfNotPresent"
    return "Always" if tag == "latest" or not (tag or has_digest) else "IfNotPresent"
