"""The board: one row for every alert there is, own or from outside, kept so that lists are quick among a million."""
