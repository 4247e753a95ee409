"""How records become a checkpoint."""
