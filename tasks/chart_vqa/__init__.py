"""Questions about charts that are drawn from text, with answers that follow from the drawn data."""
