"""Pods as the API server's Go code reads and writes them: its struct types, its decoding errors, its JSON.

For questions about the API server's own words. People's manifests are read by `documents.reader` and judged by
`schema.strict`, which say more and keep what they don't know.
"""
