"""OGC SensorThings API 1.1, Part 1: Sensing: things, and what they observe, to read and to write."""
