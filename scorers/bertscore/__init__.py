"""BERTScore: the encoder, what makes it fast on a CPU, the scores."""
