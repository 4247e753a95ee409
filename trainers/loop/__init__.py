"""The steps: losses, curves, memory, what a training would do."""
