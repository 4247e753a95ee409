"""VQAonline: questions that people asked online with a picture, and the answers they accepted."""
