"""Web: the overview, the incident and the post-mortem as live pages. Shows what operations answer; decides nothing."""
