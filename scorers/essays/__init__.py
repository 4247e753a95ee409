"""Essays by rule: form, and the numbers they state."""
