"""What ``--model`` says → what answers, and the identity of its weights."""
