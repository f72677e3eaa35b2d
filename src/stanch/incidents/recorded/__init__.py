"""The typed events of an incident's log, one module a subject; `incidents.events` gathers them."""
