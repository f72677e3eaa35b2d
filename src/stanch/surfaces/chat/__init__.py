"""The chat surface: commands, buttons and marked messages become operations, answered in the words of the terminal."""
