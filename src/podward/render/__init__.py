"""Showing Decisions, explanations and reports: as tables, pages, pictures, JSON and patches. Nothing here decides."""
