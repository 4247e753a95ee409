"""The leaderboard as one HTML file: its data, its samples, its script and style."""
