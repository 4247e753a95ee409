"""A judge's replies → win rates, agreement, ratings."""
