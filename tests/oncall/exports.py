"""Exports of other tools, written by hand in the shape of their APIs' answers."""

from typing import Final

PAGERDUTY: Final[dict[str, object]] = {
    "users": [
        {
            "id": "PU1",
            "name": "Alice Aalto",
            "email": "alice@example.org",
            "time_zone": "Europe/Helsinki",
            "teams": [{"id": "PT1", "summary": "Commerce"}],
            "contact_methods": [
                {"id": "C1", "type": "email_contact_method", "address": "alice@example.org"},
                {"id": "C2", "type": "sms_contact_method", "country_code": 358, "address": "0401234567"},
                {"id": "C3", "type": "push_notification_contact_method", "summary": "iPhone"},
            ],
            "notification_rules": [
                {"start_delay_in_minutes": 0, "urgency": "high", "contact_method": {"id": "C2"}},
                {"start_delay_in_minutes": 5, "urgency": "low", "contact_method": {"id": "C1"}},
            ],
        },
        {"id": "PU2", "name": "Bob", "email": "bob@example.org", "time_zone": "America/New_York"},
        {"id": "PU3", "name": "Carol", "email": "carol@example.org", "time_zone": "Eastern Time (US & Canada)"},
    ],
    "teams": [{"id": "PT1", "name": "Commerce"}],
    "schedules": [
        {
            "id": "PS1",
            "name": "Checkout Primary",
            "time_zone": "Europe/Helsinki",
            "teams": [{"id": "PT1"}],
            "schedule_layers": [
                {
                    "name": "Nights",
                    "start": "2025-01-06T08:00:00+02:00",
                    "rotation_virtual_start": "2025-01-06T22:00:00+02:00",
                    "rotation_turn_length_seconds": 86400,
                    "users": [{"user": {"id": "PU3"}}, {"user": {"id": "PU9", "summary": "Gone"}}],
                    "restrictions": [
                        {"type": "daily_restriction", "start_time_of_day": "22:00:00", "duration_seconds": 36000}
                    ],
                },
                {
                    "name": "Week",
                    "start": "2025-01-06T09:00:00+02:00",
                    "end": None,
                    "rotation_virtual_start": "2025-01-06T09:00:00+02:00",
                    "rotation_turn_length_seconds": 604800,
                    "users": [{"user": {"id": "PU1"}}, {"user": {"id": "PU2"}}],
                    "restrictions": [],
                },
                {
                    "name": "Old",
                    "start": "2024-01-01T09:00:00+02:00",
                    "end": "2025-01-01T09:00:00+02:00",
                    "rotation_virtual_start": "2024-01-01T09:00:00+02:00",
                    "rotation_turn_length_seconds": 604800,
                    "users": [{"user": {"id": "PU1"}}],
                },
            ],
        }
    ],
    "escalation_policies": [
        {
            "id": "PE1",
            "name": "Checkout",
            "num_loops": 2,
            "escalation_rules": [
                {"escalation_delay_in_minutes": 10, "targets": [{"id": "PS1", "type": "schedule_reference"}]},
                {"escalation_delay_in_minutes": 15, "targets": [{"id": "PU1", "type": "user_reference"}]},
            ],
        }
    ],
    "services": [
        {
            "id": "PV1",
            "name": "Checkout API",
            "status": "active",
            "escalation_policy": {"id": "PE1"},
            "teams": [{"id": "PT1"}],
            "integrations": [{"id": "I1", "summary": "Datadog"}],
        }
    ],
    "rulesets": [{"id": "R1", "name": "Default Global"}],
}

OPSGENIE: Final[dict[str, object]] = {
    "users": [
        {"id": "u1", "username": "alice@example.org", "fullName": "Alice Aalto", "timeZone": "Europe/Helsinki"},
        {"id": "u2", "username": "bob@example.org", "fullName": "Bob", "timeZone": "Europe/Berlin"},
    ],
    "teams": [{"id": "t1", "name": "commerce", "members": [{"user": {"id": "u1"}}, {"user": {"id": "u2"}}]}],
    "schedules": [
        {
            "id": "s1",
            "name": "commerce_schedule",
            "timezone": "Europe/Berlin",
            "enabled": True,
            "ownerTeam": {"id": "t1", "name": "commerce"},
            "rotations": [
                {
                    "id": "r1",
                    "name": "week",
                    "startDate": "2026-01-05T08:00:00Z",
                    "type": "weekly",
                    "length": 1,
                    "participants": [{"type": "user", "id": "u1"}, {"type": "user", "username": "bob@example.org"}],
                },
                {
                    "id": "r2",
                    "name": "weekend",
                    "startDate": "2026-01-05T08:00:00Z",
                    "type": "weekly",
                    "length": 1,
                    "participants": [{"type": "user", "id": "u2"}, {"type": "none"}],
                    "timeRestriction": {
                        "type": "weekday-and-time-of-day",
                        "restrictions": [
                            {
                                "startDay": "friday",
                                "startHour": 18,
                                "startMin": 0,
                                "endDay": "monday",
                                "endHour": 8,
                                "endMin": 30,
                            }
                        ],
                    },
                },
            ],
        }
    ],
    "escalations": [
        {
            "id": "e1",
            "name": "commerce_escalation",
            "ownerTeam": {"id": "t1", "name": "commerce"},
            "rules": [
                {
                    "condition": "if-not-acked",
                    "notifyType": "default",
                    "delay": {"timeAmount": 0, "timeUnit": "minutes"},
                    "recipient": {"type": "schedule", "id": "s1"},
                },
                {
                    "condition": "if-not-acked",
                    "notifyType": "all",
                    "delay": {"timeAmount": 10, "timeUnit": "minutes"},
                    "recipient": {"type": "team", "id": "t1"},
                },
            ],
            "repeat": {"waitInterval": 20, "count": 3},
        }
    ],
    "services": [{"id": "v1", "name": "Checkout", "teamId": "t1"}],
    "routing_rules": [
        {"teamId": "t1", "name": "default", "isDefault": True, "notify": {"type": "escalation", "id": "e1"}},
        {"teamId": "t1", "name": "P1 at night", "isDefault": False, "notify": {"type": "schedule", "id": "s1"}},
    ],
}

GRAFANA: Final[dict[str, object]] = {
    "users": [
        {"id": "U1", "username": "alice", "email": "alice@example.org", "timezone": "Europe/Helsinki"},
        {"id": "U2", "username": "bob", "email": "bob@example.org"},
    ],
    "teams": [{"id": "T1", "name": "commerce"}],
    "schedules": [
        {"id": "S1", "name": "Checkout", "type": "web", "time_zone": "Europe/Berlin", "shifts": ["O1", "O2", "O3"]}
    ],
    "on_call_shifts": [
        {
            "id": "O1",
            "name": "week",
            "type": "rolling_users",
            "level": 1,
            "start": "2026-01-05T09:00:00",
            "rotation_start": "2026-01-05T09:00:00",
            "duration": 604800,
            "frequency": "weekly",
            "interval": 1,
            "rolling_users": [["U1"], ["U2", "U1"]],
            "start_rotation_from_user_index": 1,
        },
        {
            "id": "O2",
            "name": "lunch",
            "type": "recurrent_event",
            "level": 2,
            "start": "2026-01-05T12:00:00",
            "duration": 3600,
            "frequency": "weekly",
            "by_day": ["MO", "TU"],
            "users": ["U1"],
        },
        {
            "id": "O3",
            "name": "one night",
            "type": "single_event",
            "start": "2026-12-24T20:00:00",
            "duration": 36000,
            "users": ["U2"],
        },
    ],
    "escalation_chains": [{"id": "F1", "name": "Checkout chain"}],
    "escalation_policies": [
        {
            "escalation_chain_id": "F1",
            "position": 0,
            "type": "notify_on_call_from_schedule",
            "notify_on_call_from_schedule": "S1",
        },
        {"escalation_chain_id": "F1", "position": 1, "type": "wait", "duration": 300},
        {"escalation_chain_id": "F1", "position": 2, "type": "notify_persons", "persons_to_notify": ["U2"]},
        {"escalation_chain_id": "F1", "position": 3, "type": "trigger_webhook"},
    ],
    "integrations": [
        {"id": "I1", "name": "Checkout API", "type": "alertmanager", "default_route": {"escalation_chain_id": "F1"}}
    ],
    "routes": [{"id": "R1", "integration_id": "I1", "routing_regex": "severity=info", "is_the_last_route": False}],
}
