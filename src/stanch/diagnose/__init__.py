"""Evidence, changes, hypotheses, root cause on metrics, log templates: what is wrong, with what it rests on."""
