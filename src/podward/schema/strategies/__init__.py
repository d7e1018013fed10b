"""What the API server does with each kind of object before it stores it: preparing, validating, warning.

`registry.strategy_of` finds the `Strategy` of a resource; `flow` asks it as the server does.
"""
