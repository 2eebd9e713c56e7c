"""Clips and frames as pictures: read, measured, written and joined, exact to the frame and true in colour."""
