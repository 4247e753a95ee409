"""How a completion becomes a score: pure functions first, a thin inspect scorer last."""
