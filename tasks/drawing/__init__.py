"""What the tasks draw with: canvas, scales, palettes, picture files."""
