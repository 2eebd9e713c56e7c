"""A grade: it only has to be there."""
