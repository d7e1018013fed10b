"""From findings to a verdict: which rules count, what is waived or known, and what the configuration says."""
