"""Webhooks: calling them over HTTPS, for admission and for conversion."""
