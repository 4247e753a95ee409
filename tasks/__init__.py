"""Tasks: one folder each, with what it asks and where its records come from."""
