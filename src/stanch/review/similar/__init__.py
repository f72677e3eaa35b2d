"""Incidents that were like one that runs now, why they are held to be, and what ended them."""
