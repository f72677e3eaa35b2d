"""On-call: whose turn it is, who is paged in which order, and whether that can be relied on."""
