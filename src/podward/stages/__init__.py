"""The stages: each is a pure function from typed facts to a Decision."""
