"""The versions that are imitated. Nothing else says which: `docs/maintaining.md` tells how to follow a new one.

A specification that names Kubernetes, the kubelet, kubectl or a package of k8s.io means `KUBERNETES`; one that names
k8s.io/pod-security-admission means `POD_SECURITY`; one that names OpenShift means its repositories of July 2026 (4.2x).
Container runtimes have their versions in `policy/runtime/defaults`.
"""

from __future__ import annotations

KUBERNETES = "1.36"
"""The API server's and the kubelet's; the schema table is generated from its definitions."""

GIT_VERSION = f"v{KUBERNETES}.2+podward"
"""As the API server and the node tell their own version: with the patch release that was looked at."""

POD_SECURITY = "1.37"
"""The newest policy of the Pod Security Standards."""
