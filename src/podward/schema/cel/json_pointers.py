"""Keys of JSON pointers in CEL: `jsonpatch.escapeKey("a/b")`.

Specification: k8s.io/apiserver pkg/cel/library/jsonpatch.go. `find` and `findAll` are not known: the library behind
this has no function that says where a regular expression matches, and Python's could take for ever.
"""

from __future__ import annotations

from podward.schema.cel.rows import Function

FUNCTIONS = (
    Function(
        "jsonpatch.escapeKey",
        ("string",),
        "string",
        lambda text: text.replace("~", "~0").replace("/", "~1"),
        method=False,
    ),
)
