"""What people change about a roster while the product runs: overrides, swaps, time off."""
