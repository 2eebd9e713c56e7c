"""Clips and frames as pictures, tested on clips made on the spot."""
