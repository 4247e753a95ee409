"""How logs become tables, verdicts and pages. Reads logs; imports nothing of ours."""
