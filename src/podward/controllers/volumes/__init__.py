"""Controllers of volumes: claims get theirs, volumes are made and removed, and nothing is removed that is in use."""
