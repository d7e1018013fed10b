"""What the API server refuses in a Pod, one rule per file, with its wording.

`pod.validate` applies the rules in the API server's order. A violation's text is `path: reason`.
"""
