"""`podward check` behind its options: finding files, reading and judging them, fixing, reporting, comparing."""
