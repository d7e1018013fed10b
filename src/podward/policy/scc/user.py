"""runAsUser and runAsNonRoot: which users containers may run as.

Specification (OpenShift apiserver-library-go, `user` and sccmatching/provider.go, July 2026), in our words:
- MustRunAs sets its uid, and MustRunAsRange its first uid, on a container if neither it nor the Pod sets one. Then the
  container's effective uid must be that uid, or in the range. The other strategies set no uid.
- MustRunAsRange uses the namespace's range only if it has neither end of its own; with only one end it is invalid.
- Under every strategy a container without effective runAsNonRoot gets `runAsNonRoot: true` if its effective uid is
  above 0, so that it satisfies Pod Security as well. Under MustRunAsNonRoot it gets that without a uid too.
- MustRunAsNonRoot refuses `runAsNonRoot: false` and, after that, uid 0; negative uids pass.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.scc import RunAsUserStrategy
from podward.decision import Decision, Source, Value
from podward.policy.scc.namespace import UID_RANGE, InvalidAnnotation, NamespaceRanges
from podward.policy.scc.scc_pod import POD_CONTEXT, ContainerDefault, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "runAsUser"
_NON_ROOT = "runAsNonRoot"
_POD_UID = POD_CONTEXT / RULE
_POD_NON_ROOT = POD_CONTEXT / _NON_ROOT


class FieldError(Struct, frozen=True):
    """A field that a strategy refuses: its name and value, the text of the error, and its source."""

    field: str
    value: Value
    text: str
    source: Source


class EffectiveUser(Struct, frozen=True):
    """A container's effective runAsUser and runAsNonRoot, after the SCC has set its defaults."""

    uid: int | None
    non_root: bool | None


class RunAsAny:
    """A strategy for users; the base of the others. This one sets no uid and refuses nothing.

    `default` sets `uid` on containers without one. `non_root_without_uid` is whether a container that still has no uid
    gets runAsNonRoot.
    """

    __slots__ = ("default", "uid")
    non_root_without_uid = False

    def __init__(self, uid: int | None = None, default: ContainerDefault | None = None) -> None:
        self.uid = uid
        self.default = default

    def validate(self, _: EffectiveUser) -> FieldError | None:
        """The error about the container's user; None if the strategy allows it."""
        return None


class MustRunAsNonRoot(RunAsAny):
    """Allows any user but root."""

    __slots__ = ("_source",)
    non_root_without_uid = True

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def validate(self, user: EffectiveUser) -> FieldError | None:
        """An error if the container runs as root or sets runAsNonRoot to false."""
        if user.non_root is False:
            return FieldError(_NON_ROOT, False, "false: must be true", self._source)
        if user.uid == 0:
            return FieldError(RULE, 0, "0: running with the root UID is forbidden", self._source)
        return None


class MustRunAs(RunAsAny):
    """Allows one uid."""

    __slots__ = ("_source",)

    def __init__(self, uid: int, source: Source) -> None:
        super().__init__(uid, ContainerDefault((RULE,), uid, "unset: the uid that the SCC demands", source))
        self._source = source

    def validate(self, user: EffectiveUser) -> FieldError | None:
        """An error if the container has another uid."""
        uid = user.uid
        return None if uid == self.uid else FieldError(RULE, uid, f"{uid}: must be: {self.uid}", self._source)


class MustRunAsRange(RunAsAny):
    """Allows the uids of a range."""

    __slots__ = ("_first", "_last", "_source")

    def __init__(self, first: int, last: int, source: Source) -> None:
        super().__init__(first, ContainerDefault((RULE,), first, f"unset: the first uid of {first} to {last}", source))
        self._first, self._last = first, last
        self._source = source

    def validate(self, user: EffectiveUser) -> FieldError | None:
        """An error if the uid is outside the range. The first uid is too if the range ends before it starts."""
        uid = user.uid
        if uid is not None and self._first <= uid <= self._last:
            return None
        return FieldError(RULE, uid, f"{uid}: must be in the ranges: [{self._first}, {self._last}]", self._source)


class UserRule:
    """The rule of an SCC's runAsUser strategy."""

    __slots__ = ("_errors", "_set_non_root", "_strategy")

    def __init__(self, errors: SccErrors, strategy: RunAsAny) -> None:
        self._errors, self._strategy = errors, strategy
        reason = "unset: root is not allowed" if strategy.non_root_without_uid else "unset: the user is not root"
        self._set_non_root = ContainerDefault((_NON_ROOT,), True, reason, errors.source(RULE, "type"))

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """The container's runAsUser and runAsNonRoot."""
        strategy, context, inherited = self._strategy, container.context, pod.context
        decided = NOTHING
        uid = context.run_as_user
        if uid is None:
            uid = inherited.run_as_user
            if uid is None and strategy.default is not None:
                uid = strategy.uid
                decided = strategy.default.at(container.place)
        non_root = context.run_as_non_root
        if non_root is None:
            non_root = inherited.run_as_non_root
            if non_root is None and (strategy.non_root_without_uid if uid is None else uid > 0):
                non_root = True
                set_non_root = self._set_non_root.at(container.place)
                decided = set_non_root if decided is NOTHING else decided + set_non_root
        error = strategy.validate(EffectiveUser(uid, non_root))
        return decided if error is None else decided + refused(self._violation(pod, container, error))

    def _violation(self, pod: SccPod, container: SccContainer, error: FieldError) -> SccViolation:
        place = container.place.context / error.field
        if error.field == RULE:
            if container.context.run_as_user is None and pod.context.run_as_user is not None:
                place = _POD_UID
        elif container.context.run_as_non_root is None:
            place = _POD_NON_ROOT
        printed = f"{container.place.printed}.{error.field}"
        return self._errors.invalid(printed, place, error.value, error.text, error.source)


def user_rule(scc: str, strategy: RunAsUserStrategy, ranges: NamespaceRanges) -> UserRule | str:
    """The rule of this strategy; a text if the strategy can't be used."""
    errors = SccErrors(scc, RULE)
    match strategy.type:
        case "MustRunAs":
            if strategy.uid is None:
                return "MustRunAs requires a UID"
            return UserRule(errors, MustRunAs(strategy.uid, errors.source(RULE, "uid")))
        case "MustRunAsRange":
            found = _range(errors, strategy, ranges)
            return found if isinstance(found, str) else UserRule(errors, found)
        case "MustRunAsNonRoot":
            return UserRule(errors, MustRunAsNonRoot(errors.source(RULE, "type")))
        case "RunAsAny":
            return UserRule(errors, RunAsAny())
        case other:
            return f"Unrecognized RunAsUser strategy type {other or ''}"


def _range(errors: SccErrors, strategy: RunAsUserStrategy, ranges: NamespaceRanges) -> MustRunAsRange | str:
    first, last = strategy.uid_range_min, strategy.uid_range_max
    if first is None and last is None:
        if isinstance(ranges.users, InvalidAnnotation):
            return ranges.users.why
        return MustRunAsRange(ranges.users.first, ranges.users.last, ranges.source(UID_RANGE))
    if first is None:
        return "MustRunAsRange requires a UIDRangeMin"
    if last is None:
        return "MustRunAsRange requires a UIDRangeMax"
    return MustRunAsRange(first, last, errors.source(RULE, "uidRangeMin"))
