"""CRI's verbs on this machine: what is known of sandboxes and containers, and what is done with them."""
