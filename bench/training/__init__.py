"""A recipe → its data, its processes, its checkpoint."""
