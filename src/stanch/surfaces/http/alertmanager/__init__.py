"""The Alertmanager v2 API and its management paths, for senders and tools that know nothing else. Translates only."""

from stanch.surfaces.http.alertmanager.routes import routes, taking

__all__ = ["routes", "taking"]
