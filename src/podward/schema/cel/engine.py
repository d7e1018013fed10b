"""The library behind CEL here: imported when the first expression is compiled, as it takes 5 ms and 15 MB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # it has no types
from cel_expr_python.ext import (  # type: ignore[import-untyped]  # nor have these
    ext_bindings,
    ext_optional,
    ext_strings,
)

from podward.schema.cel import library


def checker(variables: Mapping[str, Any], constructed: frozenset[str], *, unsafe: bool) -> Any:  # noqa: ANN401 - the library's own
    """What knows types: of variables, by the names of theirs, and of objects that are constructed."""
    return cel.NewEnv(
        variables={
            name: library.checked_type(kind) if isinstance(kind, str) else kind for name, kind in variables.items()
        },
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
        functions=[*library.declared(without_lists=unsafe), *library.constructors(constructed)],
    )


def reader() -> Any:  # noqa: ANN401 - the library's own
    """What reads syntax alone."""
    return cel.NewEnv(variables={}, extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()])


def evaluator(variables: Mapping[str, str], *, unsafe: bool) -> Any:  # noqa: ANN401 - the library's own
    """What evaluates. It can bind names, which whoever writes expressions cannot."""
    return cel.NewEnv(
        variables={name: library.evaluated_type(kind) for name, kind in variables.items()},
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_bindings.ExtBindings()],
        functions=library.implemented(without_lists=unsafe),
    )
