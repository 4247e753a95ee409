"""How a sample becomes a completion."""
