"""Questions about a city: its answers are layers, cell grids, tables, and sections as drawings."""
