"""Figures, a file each: every function draws on the axes it is given, or on a new figure, and returns the axes."""
