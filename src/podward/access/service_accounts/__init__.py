"""Tokens of service accounts: what they say, for whom they are issued, and when they are good."""
