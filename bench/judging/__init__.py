"""Two checkpoints' texts → pairs → what a judge says of them."""
