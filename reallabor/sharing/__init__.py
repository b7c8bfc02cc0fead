"""What others get: exports."""
