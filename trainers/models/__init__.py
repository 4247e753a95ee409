"""The model that is trained: base, adapters, parts, the untrained nano."""
