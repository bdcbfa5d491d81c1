"""The edge of the server: what every request meets before anybody asks who sent it.

`edge.py` puts it together. All of it is plain ASGI and knows nothing of cities.
"""
