"""The level of the interface that is offered: what providers compare when they decide what they may use."""

from __future__ import annotations

version = "3.3.2"
sdk_version = "1.3.2"
