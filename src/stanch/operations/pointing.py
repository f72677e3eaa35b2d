"""What has to be changed on a sender so that it posts to this server: one line for each kind."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

# `{hook}` is where the source posts, `{server}` this server without a path, `{host}` its name and port.
LINES: Final[Mapping[str, str]] = {
    "alertmanager": 'webhook_configs: [{{url: "{hook}?token=SECRET"}}]  in a receiver of alertmanager.yml',
    "argocd": 'service.webhook.stanch: {{url: "{hook}?token=SECRET"}}  in argocd-notifications-cm',
    "cloudwatch": "an SNS subscription of kind HTTPS to {hook}, and the topic in `topics` here",
    "datadog": "a webhook: {hook}?token=SECRET",
    "email": "mail to alerts+TOKEN@ the name of this server, on the port of `[mail] listen`",
    "github": "a webhook: {hook}  with a secret",
    "gitlab": "a webhook: {hook}  with a secret token",
    "googlecloud": "a webhook channel: {hook}?token=SECRET",
    "grafana": "a contact point of kind Webhook: {hook}  with an HMAC secret",
    "healthchecks": "an integration of kind Webhook, for down and up: {hook}?token=SECRET",
    "json": "POST JSON to {hook}?token=SECRET  and name its fields in [sources.NAME]",
    "newrelic": "a webhook destination: {hook}?token=SECRET",
    "opsgenie": "{server}  in place of https://api.opsgenie.com",
    "pagerduty": "a webhook subscription (v3): {hook}",
    "pagerduty-events": "{server}  in place of https://events.pagerduty.com",
    "pingdom": "an integration of kind Webhook: {hook}?token=SECRET",
    "prometheus": 'alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{host}"]}}]}}]}}  in prometheus.yml',
    "script": "stanch alert send BackupFailed --service db --severity critical",
    "sentry": "the webhook URL of an internal integration: {hook}",
    "uptimerobot": "an alert contact of kind Web-Hook: {hook}?token=SECRET&",
}


def line_for(kind: str, *, name: str, server: str) -> str:
    """Return the line for a source called `name` of this kind, empty where there is none."""
    line = LINES.get(kind, "")
    return line.format(hook=f"{server}/hooks/{name}", server=server, host=urlsplit(server).netloc)
