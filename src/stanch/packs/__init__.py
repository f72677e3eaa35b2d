"""Query packs: read-only questions to common systems, as files that anybody may edit, replace and add to."""
