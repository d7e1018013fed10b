"""The controller of Deployments: what its ReplicaSets are to be, step by step, and what its status says."""
