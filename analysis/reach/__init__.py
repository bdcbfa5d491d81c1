"""How far one gets on the roads in some minutes, on foot or in a vehicle."""
