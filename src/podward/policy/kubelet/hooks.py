"""What is said of a lifecycle hook that failed.

Specification (kubelet, pkg/kubelet/lifecycle handlers.go, in our words): the waiting reason of a container whose
postStart hook failed is `PostStartHookError`, with a message that names the hook, the container, the Pod, the error and
what a command has printed. Events say only that it failed: what it printed may be a secret.
"""

from __future__ import annotations

from podward.api.core import Container, Handler, Pod
from podward.api.gotext import quote
from podward.policy.kubelet.pod_name import described

POST_START_FAILED = "PostStartHookError"


def failed(pod: Pod, container: Container, hook: Handler, error: str, printed: str) -> str:
    """The message about this hook."""
    whose = f"for Container {quote(container.name)} in Pod {quote(described(pod))} failed - error: {error}"
    if hook.exec is not None:
        command = " ".join(hook.exec.command or ())
        return f"Exec lifecycle hook ([{command}]) {whose}, message: {quote(printed)}"
    if hook.http_get is not None:
        return f"HTTP lifecycle hook ({hook.http_get.path or ''}) {whose}"
    if hook.sleep is not None:
        return f"Sleep lifecycle hook ({hook.sleep.seconds}) {whose}"
    return f"Cannot run handler: {error}"
