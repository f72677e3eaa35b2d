"""Feature flags: off, on, or for a share, in LaunchDarkly, Unleash, flagd, and whatever else has an HTTP API."""

from stanch.integrations.flags.actuator import FlagActuator
from stanch.integrations.flags.flagd import Flagd
from stanch.integrations.flags.launchdarkly import LaunchDarkly
from stanch.integrations.flags.templated import TemplatedFlags
from stanch.integrations.flags.unleash import Unleash

__all__ = ["FlagActuator", "Flagd", "LaunchDarkly", "TemplatedFlags", "Unleash"]
