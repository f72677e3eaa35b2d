"""The status page: what is made ready for it, who says yes, what it shows, who subscribes, and its static copy."""
