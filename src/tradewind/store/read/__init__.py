"""Read models for people: lists with filters, newest first."""
