"""Admission policies: which are about a request, and what their expressions say to it."""
