"""Namespaces that end: everything in them is deleted first, and what holds that up is told as conditions."""
