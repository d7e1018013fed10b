"""The forms of `podward explain` and `podward diff`: rows made from Decisions, as tables, pictures, pages and JSON."""
