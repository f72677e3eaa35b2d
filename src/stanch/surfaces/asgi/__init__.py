"""What all that is served over HTTP shares: trust, identity, errors, the live view of the log. Knows no route."""
