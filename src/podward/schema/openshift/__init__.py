"""What an API server serves of OpenShift, where it is asked to: kinds, how they are completed and what they refuse."""
