"""Operations on who is on call: questions, overrides, swaps, time off, feeds, handoffs, load."""
