"""Mail: a small SMTP server that takes alerts. Says 250 when one is on the disk, and never relays."""
