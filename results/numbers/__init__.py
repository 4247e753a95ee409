"""The statistics: means, intervals, tests, power, ratings. Pure: nothing here reads or writes."""
