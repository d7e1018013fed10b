"""What nodes may do: the Node authorizer, and what it knows of nodes, Pods and the objects that these need."""
