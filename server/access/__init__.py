"""Who asks, and what they may: persons, the policy, and the one place where the two meet."""
