"""The Kubernetes API over HTTP: request, chain of filters, verb, store.

`application.py` strings it together; `chain.py` is the order in front of every route, `routes.py` all that is served.
"""
