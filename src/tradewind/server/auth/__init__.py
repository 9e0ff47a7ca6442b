"""Who is asking. `tokens` signs people in, `gate` recognises them afterwards, `throttle` slows down guessing."""

from .gate import Gate, require_user
from .person import Person
from .tokens import SignIn

__all__ = ["Gate", "Person", "SignIn", "require_user"]
