"""Checkpoints that vLLM serves: the engine, inspect's provider over it, what its processes need."""
