"""The keys of `[alerting]` and `[heartbeats.<name>]`."""

from typing import Final

from stanch.catalog.key import Key, Type

ALERTING: Final = (
    Key(
        name="declare_when",
        type=Type.TEXTS,
        doc="Label matchers; an alert from outside that any of them matches declares or joins an incident.",
    ),
    Key(
        name="known_services_only",
        type=Type.BOOLEAN,
        doc="Only alerts about a service that is declared here do; otherwise the label's value is the service.",
    ),
    Key(name="service_labels", type=Type.TEXTS, doc="Labels that may name the service, the first that fits counts."),
    Key(
        name="flapping_changes",
        type=Type.INTEGER,
        doc="So many changes within `flapping_s` are flapping, which is told once; 0 for never.",
        low=0,
        high=60,
    ),
    Key(name="flapping_s", type=Type.SECONDS, doc="... and for so long it must be calm.", low=1, high=86_400),
)

HEARTBEAT: Final = (
    Key(name="every_s", type=Type.SECONDS, doc="How often it is to be heard.", required=True, low=1, high=2_592_000),
    Key(name="grace_s", type=Type.SECONDS, doc="How much later it may be.", low=0, high=2_592_000),
    Key(name="alert", type=Type.TEXT, doc="Label matchers; an alert that they match is a beat, e.g. a Watchdog."),
    Key(name="service", type=Type.TEXT, doc="The service that its absence is about."),
    Key(name="severity", type=Type.TEXT, doc="Severity of the alert about its absence."),
    Key(name="summary", type=Type.TEXT, doc="What its absence means, in words."),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable with the token that a beat must carry."),
)
