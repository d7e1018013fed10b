"""Devices (dynamic resource allocation): claims and their templates, classes, and slices of what there is."""
