"""Resources that are asked and never stored: one a file."""
