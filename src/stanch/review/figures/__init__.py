"""Figures over incidents: how long things took, how often they came back, what paging cost."""
