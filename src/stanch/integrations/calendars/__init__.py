"""Calendars: iCalendar texts, public holidays of countries, and calendars kept elsewhere."""

from stanch.integrations.calendars.reading import CalendarReader

__all__ = ["CalendarReader"]
