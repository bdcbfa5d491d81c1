"""The words of the city, its base importers and its store: floor 1, which imports no other floor."""

__version__ = "0.1.0"
