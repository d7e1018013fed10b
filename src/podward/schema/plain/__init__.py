"""Plain workloads: those about which schema, defaulting and validation have nothing to say.

Most manifests of a repository are plain, and to know it takes a fraction of what it takes to find what is wrong. What
is not plain is not wrong: it is looked at in full.
"""
