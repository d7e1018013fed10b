"""The controllers and the scheduler: clients of an API server, each of which decides as a function and then writes."""
