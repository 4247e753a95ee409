"""A checkpoint → its card and its place on the hub."""
