"""Pods as the API server's Go code reads and writes them: its struct types, its decoding errors, its JSON.

For questions about the API server's own words. People's manifests are read by `podward.api.document` and judged by
`podward.api.schema`, which say more and keep what they don't know.
"""
