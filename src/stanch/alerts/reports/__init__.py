"""What customers report through the form: kept as it was written, and counted."""
