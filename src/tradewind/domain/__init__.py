"""Decisions without side effects: pure functions and in-memory structures from frozen values to named verdicts with
reasons.
"""
