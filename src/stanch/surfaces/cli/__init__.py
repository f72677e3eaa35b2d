"""The terminal: turns words into operations and answers into text. It translates and never decides."""
