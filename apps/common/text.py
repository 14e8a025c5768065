"""Texts from outside."""

from __future__ import annotations


def fit(text: str, longest: int) -> str:
    """What a column can hold: no NUL, which PostgreSQL refuses, and at most `longest` characters."""
    return text.replace("\x00", "")[:longest]
