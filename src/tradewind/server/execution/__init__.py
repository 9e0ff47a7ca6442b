"""The execution face: `POST /execution/exchange`. Begin reading at `face`."""

from .desks import DeskPool
from .face import PATH, ExchangeFace

__all__ = ["DeskPool", "ExchangeFace", "PATH"]
