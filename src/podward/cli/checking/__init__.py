"""What `podward check` does once its words are read: find files, read and judge them, fix, report, compare."""
