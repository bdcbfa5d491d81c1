"""What moves on the roads: told to the server, and told by it."""
