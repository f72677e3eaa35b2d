"""What would have told sooner, and what was missing: monitors, runbooks, owners and dependencies, from the log."""
