"""Controllers of Nodes: whether they live, what taints say of that, which Pods leave them, their addresses."""
