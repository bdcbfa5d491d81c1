"""A fictional district of four square kilometres as ordinary files: ground, picture, buildings, maps.

See `plan.toml` for what was decided by hand and SOURCES.md for what is made up.
"""

from __future__ import annotations

from sample_data.district.generate import generate

__all__ = ["generate"]
