"""Action items: what is to be done after an incident, until it is done."""
