"""The store in etcd v3, for several servers on one state."""
