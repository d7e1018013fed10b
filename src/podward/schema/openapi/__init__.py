"""OpenAPI documents of what is served, versions 2 and 3: made from the table of resources when they are asked for."""
