"""Typed objects that all other rooms use: Pods, SCCs, CRI and OCI messages, findings, reports. Nothing decides here."""
