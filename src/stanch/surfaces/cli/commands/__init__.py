"""The commands, one module per subject; each has a table `COMMANDS` of name and command."""
