"""Alarms: rules for what things observe, and the machine that raises, escalates and clears."""
