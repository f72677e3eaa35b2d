"""The tests, one folder per area; `support` holds what they share."""
