"""Maps the words and numbers programs use for severity to `Level`."""

from stanch.diagnose.logs.model import Level

_WORDS = {
    "trace": Level.TRACE,
    "finest": Level.TRACE,
    "finer": Level.TRACE,
    "verbose": Level.TRACE,
    "debug": Level.DEBUG,
    "dbg": Level.DEBUG,
    "fine": Level.DEBUG,
    "info": Level.INFO,
    "inf": Level.INFO,
    "information": Level.INFO,
    "informational": Level.INFO,
    "notice": Level.INFO,
    "log": Level.INFO,
    "config": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    "wrn": Level.WARNING,
    "error": Level.ERROR,
    "err": Level.ERROR,
    "eror": Level.ERROR,
    "severe": Level.ERROR,
    "fail": Level.ERROR,
    "failure": Level.ERROR,
    "fatal": Level.FATAL,
    "ftl": Level.FATAL,
    "critical": Level.FATAL,
    "crit": Level.FATAL,
    "crt": Level.FATAL,
    "alert": Level.FATAL,
    "emerg": Level.FATAL,
    "emergency": Level.FATAL,
    "panic": Level.FATAL,
    "dpanic": Level.FATAL,
}
# RFC 5424 severities 0 to 7, as journald's PRIORITY and syslog's <PRI> modulo 8 carry them.
_SYSLOG = (
    Level.FATAL,
    Level.FATAL,
    Level.FATAL,
    Level.ERROR,
    Level.WARNING,
    Level.INFO,
    Level.INFO,
    Level.DEBUG,
)
_BUNYAN = ((20, Level.TRACE), (30, Level.DEBUG), (40, Level.INFO), (50, Level.WARNING), (60, Level.ERROR))
KLOG = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.FATAL, "D": Level.DEBUG}


def level_of_word(word: str) -> Level:
    """Return the level a word stands for, in any case; UNKNOWN for any other word."""
    return _WORDS.get(word.lower(), Level.UNKNOWN)


def level_of_priority(number: int) -> Level:
    """Return the level of a syslog severity (0 emergency to 7 debug)."""
    return _SYSLOG[number] if 0 <= number < len(_SYSLOG) else Level.UNKNOWN


def level_of_number(number: float) -> Level:
    """Return the level of a number: syslog's 0 to 7, or Python's and bunyan's 10 to 60, which share 20 to 50 loosely.

    Bunyan and pino write 30 for info and 50 for error, Python 20 for info and 40 for error; JSON lines with numbers
    come from bunyan and pino, so theirs is the reading.
    """
    if number < 10:
        return level_of_priority(int(number)) if number >= 0 else Level.UNKNOWN
    for bound, level in (
        (20, Level.TRACE),
        (30, Level.DEBUG),
        (40, Level.INFO),
        (50, Level.WARNING),
        (60, Level.ERROR),
    ):
        if number < bound:
            return level
    return Level.FATAL
