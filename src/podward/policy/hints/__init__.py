"""Hints about surprising behaviour, one rule per file: a rule takes facts and returns hints with their remedies."""
