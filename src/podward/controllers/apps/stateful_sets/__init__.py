"""The controller of StatefulSets: Pods with names that stay, one after the other, and their claims."""
