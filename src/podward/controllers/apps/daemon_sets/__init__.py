"""The controller of DaemonSets: one Pod on every node that fits."""
