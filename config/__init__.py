"""The house: settings, queue, timetable, addresses and servers."""

from config.celery import app as celery

__all__ = ["celery"]
