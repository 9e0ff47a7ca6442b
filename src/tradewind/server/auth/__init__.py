"""Who is asking, and may he? `gate` recognises people, `rules` (for FastAPI: `choke`) decides; `tokens` and `browser`
let them in, `accounts` manages them, `throttle` slows down guessing."""

from .gate import Gate, require_user
from .person import Person
from .rules import authorise
from .signin import SignIn

__all__ = ["Gate", "Person", "SignIn", "authorise", "require_user"]
