"""The parts of the page Vergleich, in the order in which it is read."""
