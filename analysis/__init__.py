"""Questions about a city, each an analysis whose answer is a layer, a cell grid or a table."""
