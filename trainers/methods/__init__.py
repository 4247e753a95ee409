"""Ways to train: what each does between an opened folder and a finished model."""
