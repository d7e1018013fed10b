"""runAsUser: which users containers may run as.

Specification (OpenShift apiserver-library-go, `user` and sccmatching/provider.go), in our words:
- MustRunAs gives its uid to a container for which neither it nor the Pod names one, MustRunAsRange its first uid; then
  the container's effective uid must be that uid, or in the range. The other strategies give none.
- MustRunAsRange takes the range of the namespace only if it has neither end of its own; with one end it is broken.
- Under every strategy a container without effective runAsNonRoot gets `runAsNonRoot: true` if its effective uid is
  above 0, so that it satisfies Pod Security as well; under MustRunAsNonRoot also if there is no uid.
- MustRunAsNonRoot refuses `runAsNonRoot: false` and, after that, uid 0; negative uids pass.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.scc import RunAsUserStrategy
from podward.decision import Decision, Source, Value
from podward.policy.scc.namespace import UID_RANGE, NamespaceRanges, Unusable
from podward.policy.scc.subject import POD_CONTEXT, Default, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "runAsUser"
_NON_ROOT = "runAsNonRoot"
_POD_UID = POD_CONTEXT / RULE
_POD_NON_ROOT = POD_CONTEXT / _NON_ROOT


class Fault(Struct, frozen=True):
    """What a strategy has against a container: the field, its value, what is printed of both, and who says it."""

    field: str
    value: Value
    text: str
    source: Source


class Identity(Struct, frozen=True):
    """A container's effective runAsUser and runAsNonRoot, after what was given."""

    uid: int | None
    non_root: bool | None


class Strategy:
    """One of the strategies, made ready: this one is RunAsAny.

    `uid` is given by `given` to containers without one; `non_root_without_uid` says whether a container that stays
    without gets runAsNonRoot.
    """

    __slots__ = ("given", "uid")
    non_root_without_uid = False

    def __init__(self, uid: int | None = None, given: Default | None = None) -> None:
        self.uid = uid
        self.given = given

    def fault(self, _: Identity) -> Fault | None:
        """What it has against the container; None if nothing."""
        return None


class MustRunAsNonRoot(Strategy):
    """Any user but root."""

    __slots__ = ("_source",)
    non_root_without_uid = True

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def fault(self, identity: Identity) -> Fault | None:
        """Root, or that root may be."""
        if identity.non_root is False:
            return Fault(_NON_ROOT, False, "false: must be true", self._source)
        if identity.uid == 0:
            return Fault(RULE, 0, "0: running with the root UID is forbidden", self._source)
        return None


class MustRunAs(Strategy):
    """One user."""

    __slots__ = ("_source",)

    def __init__(self, uid: int, source: Source) -> None:
        super().__init__(uid, Default((RULE,), uid, "unset: the uid that the SCC demands", source))
        self._source = source

    def fault(self, identity: Identity) -> Fault | None:
        """Another user."""
        uid = identity.uid
        return None if uid == self.uid else Fault(RULE, uid, f"{uid}: must be: {self.uid}", self._source)


class MustRunAsRange(Strategy):
    """The users of a range."""

    __slots__ = ("_first", "_last", "_source")

    def __init__(self, first: int, last: int, source: Source) -> None:
        super().__init__(first, Default((RULE,), first, f"unset: the first uid of {first} to {last}", source))
        self._first, self._last = first, last
        self._source = source

    def fault(self, identity: Identity) -> Fault | None:
        """A user outside of the range; nothing keeps the first one from being outside itself."""
        uid = identity.uid
        if uid is not None and self._first <= uid <= self._last:
            return None
        return Fault(RULE, uid, f"{uid}: must be in the ranges: [{self._first}, {self._last}]", self._source)


class UserRule:
    """The rule, made ready."""

    __slots__ = ("_non_root", "_strategy", "_voice")

    def __init__(self, voice: SccErrors, strategy: Strategy) -> None:
        self._voice, self._strategy = voice, strategy
        reason = "unset: root is not allowed" if strategy.non_root_without_uid else "unset: the user is not root"
        self._non_root = Default((_NON_ROOT,), True, reason, voice.source(RULE, "type"))

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """The uid and runAsNonRoot of a container."""
        strategy, context, inherited = self._strategy, member.context, subject.context
        decided = NOTHING
        uid = context.run_as_user
        if uid is None:
            uid = inherited.run_as_user
            if uid is None and strategy.given is not None:
                uid = strategy.uid
                decided = strategy.given.at(member.place)
        non_root = context.run_as_non_root
        if non_root is None:
            non_root = inherited.run_as_non_root
            if non_root is None and (strategy.non_root_without_uid if uid is None else uid > 0):
                non_root = True
                given = self._non_root.at(member.place)
                decided = given if decided is NOTHING else decided + given
        fault = strategy.fault(Identity(uid, non_root))
        return decided if fault is None else decided + refused(self._violation(subject, member, fault))

    def _violation(self, subject: SccPod, member: SccContainer, fault: Fault) -> SccViolation:
        place = member.place.context / fault.field
        if fault.field == RULE:
            if member.context.run_as_user is None and subject.context.run_as_user is not None:
                place = _POD_UID
        elif member.context.run_as_non_root is None:
            place = _POD_NON_ROOT
        printed = f"{member.place.printed}.{fault.field}"
        return self._voice.invalid(printed, place, fault.value, fault.text, fault.source)


def user_rule(scc: str, strategy: RunAsUserStrategy, ranges: NamespaceRanges) -> UserRule | str:
    """The rule of this strategy, or why there can be none."""
    voice = SccErrors(scc, RULE)
    match strategy.type:
        case "MustRunAs":
            if strategy.uid is None:
                return "MustRunAs requires a UID"
            return UserRule(voice, MustRunAs(strategy.uid, voice.source(RULE, "uid")))
        case "MustRunAsRange":
            found = _range(voice, strategy, ranges)
            return found if isinstance(found, str) else UserRule(voice, found)
        case "MustRunAsNonRoot":
            return UserRule(voice, MustRunAsNonRoot(voice.source(RULE, "type")))
        case "RunAsAny":
            return UserRule(voice, Strategy())
        case other:
            return f"Unrecognized RunAsUser strategy type {other or ''}"


def _range(voice: SccErrors, strategy: RunAsUserStrategy, ranges: NamespaceRanges) -> MustRunAsRange | str:
    first, last = strategy.uid_range_min, strategy.uid_range_max
    if first is None and last is None:
        if isinstance(ranges.users, Unusable):
            return ranges.users.why
        return MustRunAsRange(ranges.users.first, ranges.users.last, ranges.source(UID_RANGE))
    if first is None:
        return "MustRunAsRange requires a UIDRangeMin"
    if last is None:
        return "MustRunAsRange requires a UIDRangeMax"
    return MustRunAsRange(first, last, voice.source(RULE, "uidRangeMin"))
