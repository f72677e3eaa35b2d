"""Handing over: the document that the next person accepts, and what is ready before a shift begins."""
