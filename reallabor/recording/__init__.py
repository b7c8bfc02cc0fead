"""What machines did: running trials, reading them back, indicators."""
