"""Reads about alerts, own and from outside: the list, one alert with all that became of it, the groups."""
