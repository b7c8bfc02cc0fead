"""What follows: comparison, readiness, decisions."""
