"""What a user names → runs: folders of logs, baselines, the two sides of a comparison."""
