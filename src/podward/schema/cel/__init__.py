"""Expressions in CEL, as Kubernetes has them: compiled once, evaluated with their variables, errors as values.

    admission = Environment({"object": "dyn", "request": "dyn"}, {"request": {"name": None}})
    expression = admission.compile("object.metadata.name != request.name")
    if isinstance(expression, Uncompilable): ...   # its `reason` is what the API server says
    outcome = expression.evaluate({"object": {...}, "request": {...}})
    if isinstance(outcome, Failed): ...            # an expression that fails decides nothing: its reader refuses

`environment` is where to begin; `library` has Kubernetes' own functions, a file for each of its libraries.
`admission` has those that are about a request: policies and match conditions; others make an `Environment`.
Nobody imports this before there is an expression: the library behind it takes 5 ms and 15 MB.
"""
