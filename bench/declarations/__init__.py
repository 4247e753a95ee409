"""What YAML may say → frozen objects, or every mistake at once, each with its line."""
