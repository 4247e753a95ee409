"""Examples → batches: tokens, pixels, splits, order, packing."""
