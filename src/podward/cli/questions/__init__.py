"""The kinds of questions that `podward batch` answers: one module each, whose `answer` takes a line."""
