"""Processes, watching, and what a machine that gives out raises."""
