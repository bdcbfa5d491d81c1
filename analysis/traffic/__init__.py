"""What a traffic engineer asks of positions, signals and road maps."""
