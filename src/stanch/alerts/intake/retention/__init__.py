"""What is kept of alerts from outside, and for how long."""
