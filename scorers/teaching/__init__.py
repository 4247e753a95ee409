"""A teacher's text: its stages, and whether a student may learn it."""
