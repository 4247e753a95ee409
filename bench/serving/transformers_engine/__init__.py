"""Checkpoints that transformers serves: inspect's provider, batches, scores of given texts."""
