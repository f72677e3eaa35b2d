"""What was accepted and is still to be taken in: how it is written down, and its statements."""
