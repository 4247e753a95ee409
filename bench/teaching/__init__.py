"""A teacher's answers on a train split → a training folder."""
