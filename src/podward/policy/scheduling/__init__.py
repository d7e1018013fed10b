"""Which nodes a Pod may be on, and which of them is best: what a scheduler decides."""
