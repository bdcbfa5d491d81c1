"""Urban renewal (三旧改造): its words, its rules and what follows from what was recorded."""
