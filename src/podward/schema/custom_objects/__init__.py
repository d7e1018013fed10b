"""The objects of CustomResourceDefinitions, by their structural schemas."""
