"""Breaks declared targets for a while and takes everything back: the undo list is on disk before anything is done."""
