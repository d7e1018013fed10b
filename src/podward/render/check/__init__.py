"""What `check` shows: a report for people, and in the forms that CI systems read."""
