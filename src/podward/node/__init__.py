"""A node of a cluster, as a kubelet is one: it has the Pods run that are bound to it, and says how they are."""
