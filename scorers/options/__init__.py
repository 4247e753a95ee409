"""The chosen option: its letter or its text, and reasoning that ends elsewhere."""
