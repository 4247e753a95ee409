"""inspect logs → runs: one read of the file, outcomes, lineage, cache."""
