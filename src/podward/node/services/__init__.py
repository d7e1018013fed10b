"""Services on this node: the rules that lead to their endpoints, and the cluster's DNS."""
