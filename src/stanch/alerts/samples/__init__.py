"""Samples: the numbers that looks brought home, by service, metric and labels."""
