"""The command, its arguments and the environment of a container, with `$(NAME)` expanded.

Specification (kubelet makeEnvironmentVariables and third_party/forked/golang/expansion, in our words):
- `envFrom` goes first, in its order: each key of a Secret, and each key of a ConfigMap that is text, is a variable, its
  name behind `prefix`. Then `env`. Of variables with the same name the last one is kept, at its own position.
- In command, args and later env values `$(NAME)` becomes the value of a variable that was defined before. An unknown
  name stays as it is written. `$$` is a literal `$`, so `$$(NAME)` gives `$(NAME)`.
- The variables of Services (`service_environment`) are known from the beginning, and follow behind those that the
  container does not have itself.
- Values of `fieldRef` and `resourceFieldRef` come from the Pod, others from a key of a Secret or ConfigMap. What is
  optional and absent gives no variable; what is absent else keeps the container from starting:
  CreateContainerConfigError.
- CRI carries text: a value that is no UTF-8 can't be sent, and none with a NUL byte can be a variable (environ(7)).

A violation tells no value.

The kubelet expands without bounds, and variables that double each other would take all memory. Here an expanded text
ends as soon as it is longer than any string that execve(2) takes, so the kernel stage refuses it, or all that contains
it; and a container whose expanded texts are together longer than `MOST` is refused.
"""

from __future__ import annotations

from podward.api.content import ContentKind, ContentObject
from podward.api.core import Container, EnvFrom, EnvVar, KeySelector, ValueFrom
from podward.api.cri import KeyValue
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.oci import LONGEST_STRING
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import Missing
from podward.api.version import KUBERNETES
from podward.decision import Assignment, AwaitedViolation, Decision, Origin, Source, Violation, assign, merge, refuse
from podward.path import Path, path
from podward.policy.kubelet.downward import Unreadable, field_text, resource_text

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} environment")
SERVICES = Source(Origin.RULE, f"kubelet {KUBERNETES} variables of Services")
NO_SOURCE = "a value can come from env, a field, a resource, or a key of a Secret or ConfigMap: from nothing else here"
NO_TEXT = "the value is no text (UTF-8), and CRI carries nothing else in a variable"
NUL = "the value has a NUL byte, which no variable can have"
MOST = 32 << 20
"""Characters of all expanded texts of a container: five times what execve(2) takes on any machine."""
TOO_MUCH = "it expands to more than 32 MiB, and execve(2) takes 6 MiB at most (E2BIG, Argument list too long)"


def expand(text: str, known: dict[str, str]) -> str:
    """`text` with each `$(NAME)` replaced by the value that `known` has for NAME; cut where execve takes no more."""
    out: list[str] = []
    at = size = 0
    while size <= LONGEST_STRING and (dollar := text.find("$", at)) >= 0:
        piece, after = _reference(text, dollar, known)
        out += (text[at:dollar], piece)
        size += dollar - at + len(piece)
        at = after
    if size <= LONGEST_STRING:
        out.append(text[at:])
    return "".join(out)


def _reference(text: str, dollar: int, known: dict[str, str]) -> tuple[str, int]:
    """What the `$` at this index and what belongs to it become, and the index of what follows."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return "$", dollar + 2
    end = text.find(")", dollar + 2) if following == "(" else -1
    if end < 0:
        return "$", dollar + 1
    return known.get(text[dollar + 2 : end], text[dollar : end + 1]), end + 1


def decide(about: PodFacts, container: Container, place: Place) -> Decision:
    """`command`, `args` and `envs`; a violation for each variable whose value can't be had.

    A variable of an object that nobody knows is left out.
    """
    made = _Variables(about, container, place)
    for index, source in enumerate(container.env_from or ()):
        made.all_of(source, place.container / "envFrom" / index)
    for index, variable in enumerate(container.env or ()):
        made.one(variable, place.container / "env" / index)
    return merge(
        Decision(made.assignments(), tuple(made.violations)),
        _words("command", container.command, made.known, place),
        _words("args", container.args, made.known, place),
    )


class _Variables:
    """The variables as they are defined one after the other; `known` are their values by name."""

    def __init__(self, about: PodFacts, container: Container, place: Place) -> None:
        self.known = dict(about.objects.service_variables)
        self.violations: list[Violation] = []
        self._about = about
        self._container = container
        self._place = place
        self._rows: dict[str, Path] = {}
        self._left = MOST

    def assignments(self) -> tuple[Assignment, ...]:
        """`envs`, each variable owed to where it was defined last; then those of Services."""
        document = self._place.document
        rows = [(name, "env", Source(Origin.MANIFEST, document, where)) for name, where in self._rows.items()]
        of_services = self._about.objects.service_variables
        rows += [(name, "a Service", SERVICES) for name in of_services if name not in self._rows]
        return tuple(
            Assignment(path("envs", i), KeyValue(name, self.known[name]), reason, source)
            for i, (name, reason, source) in enumerate(rows)
        )

    def all_of(self, source: EnvFrom, where: Path) -> None:
        """Every key of an object."""
        kind: ContentKind = "ConfigMap" if source.config_map_ref is not None else "Secret"
        reference, field = source.config_map_ref, "configMapRef"
        if reference is None:
            reference, field = source.secret_ref, "secretRef"
        if reference is None:
            return
        found = self._object(kind, reference.name or "", where / field / "name", optional=bool(reference.optional))
        for key in sorted(found.data) if found is not None else ():
            if found is not None and (kind == "Secret" or key in found.text):
                self._keep_bytes(f"{source.prefix or ''}{key}", found.data[key], where)

    def one(self, variable: EnvVar, where: Path) -> None:
        """A variable of `env`."""
        source = variable.value_from
        if source is None or variable.value:
            self._keep(variable.name, expand(variable.value or "", self.known), where)
        elif source.secret_key_ref is not None:
            self._key_of("Secret", source.secret_key_ref, variable.name, where / "valueFrom" / "secretKeyRef")
        elif source.config_map_key_ref is not None:
            self._key_of("ConfigMap", source.config_map_key_ref, variable.name, where / "valueFrom" / "configMapKeyRef")
        else:
            text = self._text(source)
            if isinstance(text, Unreadable):
                self._refuse(where / "valueFrom", variable.name, text.reason)
            else:
                self._keep(variable.name, text, where)

    def _text(self, source: ValueFrom) -> str | Unreadable:
        pod = self._about.pod
        if source.field_ref is not None:
            return field_value(self._about, source.field_ref.field_path or "")
        if source.resource_field_ref is not None:
            return resource_text(pod, source.resource_field_ref, self._container.name, self._about.node)
        return Unreadable(NO_SOURCE)

    def _key_of(self, kind: ContentKind, reference: KeySelector, name: str, where: Path) -> None:
        optional = bool(reference.optional)
        found = self._object(kind, reference.name or "", where / "name", optional=optional)
        if found is None:
            return
        if reference.key in found.data and (kind == "Secret" or reference.key in found.text):
            self._keep_bytes(name, found.data[reference.key], where)
        elif not optional:
            namespace = self._about.pod.metadata.namespace or "default"
            reason = f"couldn't find key {reference.key} in {kind} {namespace}/{reference.name or ''}"
            advice = "add the key, or give the object with --with FILE"
            self._await(where / "key", name, self._about.objects.told(reason, advice))

    def _object(self, kind: ContentKind, name: str, where: Path, *, optional: bool) -> ContentObject | None:
        """The object; None where it is unknown, may be absent, or is awaited."""
        namespace = self._about.pod.metadata.namespace or "default"
        found = self._about.objects.content(kind, namespace, name)
        if isinstance(found, ContentObject):
            return found
        if isinstance(found, Missing) and not optional:
            self._await(where, name, self._about.objects.told(f"{kind.lower()} {quote(name)} not found", found.remedy))
        return None

    def _keep_bytes(self, name: str, value: bytes, where: Path) -> None:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            self._refuse(where, name, NO_TEXT)
            return
        self._keep(name, text, where)

    def _keep(self, name: str, value: str, where: Path) -> None:
        if "\0" in value:
            self._refuse(where, name, NUL)
            return
        self._left -= len(value)
        if self._left < 0:
            if self._left + len(value) >= 0:  # the first one that is too much
                self._refuse(where, name, TOO_MUCH)
            return
        self.known[name] = value
        self._rows.pop(name, None)
        self._rows[name] = where

    def _refuse(self, where: Path, name: str, reason: str) -> None:
        self.violations.append(Violation(where, name, reason, RULE))

    def _await(self, where: Path, name: str, reason: str) -> None:
        self.violations.append(AwaitedViolation(where, name, f"CreateContainerConfigError: {reason}", RULE))


def _words(name: str, written: tuple[str, ...] | None, known: dict[str, str], place: Place) -> Decision:
    if not written:
        return Decision()
    expanded, left = [], MOST
    for word in written:
        expanded.append(expand(word, known))
        left -= len(expanded[-1])
        if left < 0:
            return refuse(place.container / name, written[0], TOO_MUCH, RULE)
    source = Source(Origin.MANIFEST, place.document, place.container / name)
    return assign(path(name), tuple(expanded), f"{name} is set", source)


def field_value(about: PodFacts, field: str) -> str | Unreadable:
    """The value of this field path in the downward API, which knows more for variables than for files."""
    pod, node = about.pod, about.node
    fixed = {
        "spec.serviceAccountName": pod.spec.service_account_name or "default",
        "status.podIP": about.ip.partition(",")[0],
        "status.podIPs": about.ip,
        "status.hostIP": node.addresses[0],
        "status.hostIPs": ",".join(node.addresses),
        "spec.nodeName": node.name,
    }
    return fixed[field] if field in fixed else field_text(pod, field)
