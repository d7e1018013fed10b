"""Admission webhooks: which are asked about a request, what they are sent, and what their answers mean."""
