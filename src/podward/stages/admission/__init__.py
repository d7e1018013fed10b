"""Stage `admission`: what the API server makes of a request to write an object, or why it refuses it.

Facts in: the request, and the cluster that it is sent to. Out: a Decision about the object that is stored. `order` is
the file to read first.
"""
