"""The routes by noun; none holds logic, each is at most two hops from what it asks for."""
