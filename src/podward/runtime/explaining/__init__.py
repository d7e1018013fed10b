"""Explaining Pods without running them: nothing is made on disk, mounted or started."""
