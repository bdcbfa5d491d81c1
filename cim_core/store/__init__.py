"""The registry: one module of plain SQL for each concern, over one SQLite file per city."""
