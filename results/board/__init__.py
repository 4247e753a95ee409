"""Runs → the leaderboard: rows, columns, groups, forgetting, files and plots."""
