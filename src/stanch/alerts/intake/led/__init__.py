"""What alerts from outside led to."""
