"""Where an API server keeps its objects: values under keys, each change with a revision, and watches of the changes."""
