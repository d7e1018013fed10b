"""Objects as tables, as `kubectl get` prints them: the columns of each kind, and a row for each object."""
