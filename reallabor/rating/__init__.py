"""What people judged: rounds, ratings, agreement, publishing."""
