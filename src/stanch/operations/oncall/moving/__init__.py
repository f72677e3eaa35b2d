"""Moving from another on-call tool: read its export, write our files, compare who would be paged."""
