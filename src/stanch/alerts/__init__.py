"""From a signal to an alert to a group: what is normal, what is new, what belongs together, and why."""
