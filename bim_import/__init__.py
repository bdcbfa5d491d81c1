"""Building models: files of a designer's software become layers of elements.

Nothing is imported here: the processes of the geometry kernel would have to load it all.
"""
