"""For authors' own tests: a pytest plugin (`pytest_plugin`), and what stands behind its fixtures (`runs`)."""

from __future__ import annotations
