"""Game days, looked at afterwards: how those who responded did, from the log alone."""
