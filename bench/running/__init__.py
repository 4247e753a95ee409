"""Tasks × models → logs: what is asked, what is resumed, what is watched while it runs."""
