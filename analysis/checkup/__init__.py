"""The city check-up: indicators as data, operators that compute them, and what follows from values."""
