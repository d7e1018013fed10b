"""Names with a domain before them: `acme.io/foo`.

Specification: Kubernetes, util/validation IsDomainPrefixedPath, IsDomainPrefixedKey, IsFullyQualifiedName.
"""

from __future__ import annotations

from podward.decision import Decision, merge
from podward.schema.validation.field import NOTHING, At, each, invalid, required
from podward.schema.validation.names import subdomain_faults

_PATH = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:")
_PATH_RULE = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"
_FORM = 'must be a domain-prefixed path (such as "acme.io/foo")'


def domain_prefixed(name: str, at: At) -> Decision:
    """Refuse what is no path with a domain before it."""
    if not name:
        return required(at)
    host, _, path = name.partition("/")
    if not host or not path:
        return invalid(at, name, _FORM)
    found = each(at, host, subdomain_faults(host))
    return found if _PATH.issuperset(path) else found + invalid(at, path, _PATH_RULE)


def fully_qualified(name: str, at: At) -> Decision:
    """Refuse what is no domain of three parts at least."""
    if not name:
        return required(at)
    faults = subdomain_faults(name)
    if faults:
        return merge(invalid(at, name, ",".join(faults)))
    few = name.count(".") < 2
    return invalid(at, name, "should be a domain with at least three segments separated by dots") if few else NOTHING
