"""The command line and the run: from a task's declaration and a model to a log that can be trusted."""
