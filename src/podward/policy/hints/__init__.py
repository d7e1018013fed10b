"""What will surprise people, one rule per file: each looks at facts and returns hints with their remedy."""
