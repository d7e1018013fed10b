"""What is done with resources: one verb a file, for every resource alike."""
