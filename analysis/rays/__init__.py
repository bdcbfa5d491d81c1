"""Rays through the triangles of a city: what stands in the way of the sun, of a view."""
