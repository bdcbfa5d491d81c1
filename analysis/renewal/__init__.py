"""What follows from what was recorded of renewal, for any day."""
