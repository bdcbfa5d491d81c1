"""Roads, lanes and signals of a city, and what moves and changes on them."""
