"""What `explain` shows: rows made of Decisions, and their forms for people and programs."""
