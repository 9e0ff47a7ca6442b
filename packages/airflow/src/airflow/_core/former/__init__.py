"""Operators and classes that providers dropped, made of those that took their place."""
