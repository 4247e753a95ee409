"""The answer in a box: finding it, reading it as a number, an expression or text, comparing it."""
