"""The words: typed objects, their codec, defaulting and validation."""
