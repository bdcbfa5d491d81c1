"""Vital signs (城市体征): indicators on a clock, from what the city feels now."""
