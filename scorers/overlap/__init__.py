"""Overlap of words with a reference: BLEU, chrF, ROUGE."""
