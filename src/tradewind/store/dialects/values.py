"""Forms of values that both databases share."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
_NUL = "\x00"
_REPLACEMENT = "�"


def clean_text(value: str) -> str:
    """Text that both databases can hold: NUL and lone surrogates become U+FFFD.

    Messages of dying tasks contain anything; one of them must not make a whole batch of reports impossible to store.
    """
    value = str(value)  # drivers do not agree on what a member of a StrEnum is
    if value.isascii():
        return value.replace(_NUL, _REPLACEMENT) if _NUL in value else value
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode(errors="surrogatepass").decode(errors="replace")
    return value.replace(_NUL, _REPLACEMENT)


def json_text(value: Any) -> str:
    """A dict or tuple as JSON text."""
    return _encode(value).decode()


names_of = msgspec.json.Decoder(tuple[str, ...]).decode
dict_of = msgspec.json.Decoder(dict[str, Any]).decode
