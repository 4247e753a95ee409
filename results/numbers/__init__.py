"""The statistics: means, intervals, tests, power, ratings. Pure functions of numbers."""
