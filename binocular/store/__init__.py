"""What a study is on disk and in memory: its schema, its files, and reading, checking and summing them up."""
