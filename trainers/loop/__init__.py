"""The steps of a training, its folder while it runs, its curve, its memory, its trackers."""
