"""The cases: how alerts are merged, grouped, timed, silenced, inhibited and routed, as a story each."""

from collections.abc import Sequence
from typing import Final

from tests.intake.story import Case, Expect, Hook, Post, Reload, Said, Silence, Unsilence, said


def _post(at: float, *alerts: Said) -> Post:
    return Post(at, alerts)


def _expect(hook: int, low: float, high: float, *alerts: Said) -> Expect:
    return Expect(hook, low, high, alerts)


def _config(
    *,
    by: str = "[alertname]",
    wait: str = "1s",
    interval: str = "1s",
    repeat: str = "1ms",
    hooks: Sequence[str] = ("",),
    more: str = "",
    routes: str = "",
    receivers: str = "",
) -> str:
    """Return an alertmanager.yml with one receiver; `hooks` are the further keys of each of its webhooks."""
    configs = "\n".join(f"  - {{ url: '{{wh{number}}}'{extra} }}" for number, extra in enumerate(hooks))
    return f"""{more}
route:
  receiver: default
  group_by: {by}
  group_wait: {wait}
  group_interval: {interval}
  repeat_interval: {repeat}
{routes}
receivers:
- name: default
  webhook_configs:
{configs}
{receivers}
"""


_INHIBIT: Final = """
inhibit_rules:
- source_match: { alertname: JobDown }
  target_match: { alertname: InstanceDown }
  equal: [ job, zone ]
"""
_V = "alertname=test,lbl=v"

CASES: Final = (
    Case(
        "merging",
        _config(),
        [
            _post(1, said("alertname=test", 1.1)),
            _post(1.2, said("alertname=test", 1)),
            _post(2.1, said("alertname=test", 2, ann="v1")),
            _post(3.6, said("alertname=test", 1.5, ann="v2")),
            _post(4.6, said("alertname=test", 3, 4.5, ann="v2")),
            _post(4.8, said("alertname=test", 2.9, 4.8, ann="v3")),
            _post(4.85, said("alertname=test", 2.9, 4.1, ann="v3")),
            _post(5.3, said("alertname=test", 5)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=test", 1)),
            _expect(0, 3, 3.5, said("alertname=test", 1, ann="v1")),
            _expect(0, 4, 4.5, said("alertname=test", 1, ann="v2")),
            _expect(0, 5, 5.5, said("alertname=test", 1, 4.8, ann="v3")),
            _expect(0, 6, 6.5, said("alertname=test", 5)),
        ],
    ),
    Case(
        "repeat",
        _config(),
        [_post(1, said("alertname=test", 1)), _post(3.5, said("alertname=test", 1, 3))],
        [
            _expect(0, 2, 2.5, said("alertname=test", 1)),
            _expect(0, 3, 3.5, said("alertname=test", 1)),
            _expect(0, 4, 4.5, said("alertname=test", 1, 3)),
        ],
    ),
    Case(
        "repeat_is_rounded_up_to_a_tick",
        _config(interval="2s", repeat="3s", hooks=("", "")),
        [_post(1, said("alertname=test1"))],
        [
            _expect(0, 2, 2.5, said("alertname=test1", 1)),
            _expect(0, 6, 6.5, said("alertname=test1", 1)),
            _expect(1, 6, 6.5, said("alertname=test1", 1)),
        ],
        hooks={1: Hook(until=4.5, status=200, counts=False)},
    ),
    Case(
        "batching",
        _config(by="[]", repeat="4900ms"),
        [
            _post(1.1, said("alertname=test1", 1)),
            _post(1.7, said("alertname=test5", 1)),
            _post(3.3, said("alertname=test2", 1.5), said("alertname=test3", 1.5), said("alertname=test4", 1.6)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=test1", 1), said("alertname=test5", 1)),
            *(
                _expect(
                    0,
                    low,
                    low + 0.4,
                    said("alertname=test1", 1),
                    said("alertname=test5", 1),
                    said("alertname=test2", 1.5),
                    said("alertname=test3", 1.5),
                    said("alertname=test4", 1.6),
                )
                for low in (4.1, 9.1)
            ),
        ],
    ),
    Case(
        "resolve_timeout",
        _config(interval="5s", repeat="4h", more="global: { resolve_timeout: 10s }"),
        [_post(1, said(f"{_V}1"), said(f"{_V}2"), said(f"{_V}3"))],
        [
            _expect(0, 2, 2.5, said(f"{_V}1", 1), said(f"{_V}2", 1), said(f"{_V}3", 1)),
            _expect(0, 12, 13, said(f"{_V}1", 1, 11), said(f"{_V}2", 1, 11), said(f"{_V}3", 1, 11)),
        ],
    ),
    Case(
        "silencing",
        _config(by="[]"),
        [
            _post(1, said("alertname=test1", 1)),
            _post(1, said("alertname=test2", 1)),
            Silence(2.3, "s", 2.5, 4.5, ("alertname=test1",)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=test1", 1), said("alertname=test2", 1)),
            _expect(0, 3, 3.5, said("alertname=test2", 1)),
            _expect(0, 4, 4.5, said("alertname=test2", 1)),
            _expect(0, 5, 5.5, said("alertname=test1", 1), said("alertname=test2", 1)),
        ],
    ),
    Case(
        "ending_a_silence",
        _config(by="[]"),
        [
            _post(1, said("alertname=test1", 1)),
            _post(1, said("alertname=test2", 1)),
            Silence(1.3, "s", 1.5, 100, ("alertname=~.+",)),
            Unsilence(3.5, "s"),
        ],
        [_expect(0, 3.5, 4.5, said("alertname=test1", 1), said("alertname=test2", 1))],
    ),
    Case(
        "inhibiting",
        _config(by="[]", repeat="1s", more=_INHIBIT),
        [
            _post(1, said("alertname=test1,job=testjob,zone=aa")),
            _post(1, said("alertname=InstanceDown,job=testjob,zone=aa")),
            _post(1, said("alertname=InstanceDown,job=testjob,zone=ab")),
            _post(2.2, said("alertname=JobDown,job=testjob,zone=aa")),
            _post(3.6, said("alertname=JobDown,job=testjob,zone=aa", 2.2, 3.6)),
        ],
        [
            _expect(
                0,
                2,
                2.5,
                said("alertname=test1,job=testjob,zone=aa", 1),
                said("alertname=InstanceDown,job=testjob,zone=aa", 1),
                said("alertname=InstanceDown,job=testjob,zone=ab", 1),
            ),
            _expect(
                0,
                3,
                3.5,
                said("alertname=test1,job=testjob,zone=aa", 1),
                said("alertname=InstanceDown,job=testjob,zone=ab", 1),
                said("alertname=JobDown,job=testjob,zone=aa", 2.2),
            ),
            _expect(
                0,
                4,
                4.5,
                said("alertname=test1,job=testjob,zone=aa", 1),
                said("alertname=InstanceDown,job=testjob,zone=aa", 1),
                said("alertname=InstanceDown,job=testjob,zone=ab", 1),
                said("alertname=JobDown,job=testjob,zone=aa", 2.2, 3.6),
            ),
        ],
    ),
    Case(
        "resolved_together_with_its_source",
        _config(by="[]", repeat="1s", more=_INHIBIT),
        [
            _post(1, said("alertname=InstanceDown,job=a,zone=aa"), said("alertname=JobDown,job=a,zone=aa")),
            _post(
                2.6,
                said("alertname=JobDown,job=a,zone=aa", 1, 2.6),
                said("alertname=InstanceDown,job=a,zone=aa", 1, 2.6),
            ),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=JobDown,job=a,zone=aa", 1)),
            _expect(
                0,
                3,
                3.5,
                said("alertname=JobDown,job=a,zone=aa", 1, 2.6),
                said("alertname=InstanceDown,job=a,zone=aa", 1, 2.6),
            ),
        ],
    ),
    Case(
        "a_label_that_both_lack_is_equal",
        _config(by="[]", repeat="1h", more=_INHIBIT),
        [
            _post(
                1,
                said("alertname=JobDown,job=a"),
                said("alertname=InstanceDown,job=a"),
                said("alertname=InstanceDown,job=b"),
            )
        ],
        [_expect(0, 2, 2.5, said("alertname=JobDown,job=a", 1), said("alertname=InstanceDown,job=b", 1))],
        until=4,
    ),
    Case(
        "a_server_error_is_retried_within_the_flush",
        _config(interval="1m", repeat="1h"),
        [_post(1, said("alertname=test1"))],
        [_expect(0, 4.5, 7.5, said("alertname=test1", 1))],
        hooks={0: Hook(until=4.5, status=500)},
    ),
    Case(
        "a_client_error_waits_for_the_next_tick",
        _config(interval="3s", repeat="1h"),
        [_post(1, said("alertname=test1"))],
        [_expect(0, 5, 5.5, said("alertname=test1", 1))],
        hooks={0: Hook(until=4.5, status=400)},
    ),
    Case(
        "too_many_requests_waits_for_the_next_tick",
        _config(interval="3s", repeat="1h"),
        [_post(1, said("alertname=test1"))],
        [_expect(0, 5, 5.5, said("alertname=test1", 1))],
        hooks={0: Hook(until=4.5, status=429)},
    ),
    Case(
        "a_redirect_waits_for_the_next_tick",
        _config(interval="3s", repeat="1h"),
        [_post(1, said("alertname=test1"))],
        [_expect(0, 5, 5.5, said("alertname=test1", 1))],
        hooks={0: Hook(until=4.5, status=302)},
    ),
    Case(
        "a_failing_hook_disturbs_no_other",
        _config(interval="1s", repeat="1h", hooks=("", "")),
        [_post(1, said("alertname=test1")), _post(3.2, said("alertname=test1,x=y"))],
        [
            _expect(0, 2, 2.5, said("alertname=test1", 1)),
            _expect(0, 4, 4.5, said("alertname=test1", 1), said("alertname=test1,x=y", 3.2)),
        ],
        hooks={1: Hook(until=100, status=503)},
        until=6,
    ),
    Case(
        "an_alert_that_is_old_already_does_not_wait",
        _config(wait="5s", interval="10s", repeat="1h"),
        [_post(1, said("alertname=test1", -100)), _post(1, said("alertname=test2", 1))],
        [
            _expect(0, 1, 1.4, said("alertname=test1", -100)),
            _expect(0, 6, 6.4, said("alertname=test2", 1)),
        ],
    ),
    Case(
        "continue_goes_on_to_the_next_route",
        _config(
            wait="500ms",
            interval="1m",
            repeat="1h",
            routes="""  routes:
  - { receiver: b, matchers: [ 'sev="page"' ], continue: true }
  - { receiver: default, matchers: [ 'sev="page"' ] }
""",
            receivers="- name: b\n  webhook_configs:\n  - { url: '{wh1}' }\n",
        ),
        [_post(1, said("alertname=p,sev=page", 1), said("alertname=q,sev=x", 1))],
        [
            _expect(0, 1.3, 2, said("alertname=p,sev=page", 1)),
            _expect(0, 1.3, 2, said("alertname=q,sev=x", 1)),
            _expect(1, 1.3, 2, said("alertname=p,sev=page", 1)),
        ],
    ),
    Case(
        "without_continue_the_first_route_takes_it",
        _config(
            wait="500ms",
            interval="1m",
            repeat="1h",
            routes="""  routes:
  - receiver: b
    match_re: { sev: 'page|crit' }
    routes:
    - { receiver: c, match: { team: web } }
  - { receiver: default, matchers: [ 'sev=~"page"' ] }
""",
            receivers="- name: b\n  webhook_configs:\n  - { url: '{wh1}' }\n"
            "- name: c\n  webhook_configs:\n  - { url: '{wh2}' }\n",
        ),
        [
            _post(
                1,
                said("alertname=p,sev=page", 1),
                said("alertname=q,sev=crit,team=web", 1),
                said("alertname=r,sev=paged", 1),
            )
        ],
        [
            _expect(1, 1.3, 2, said("alertname=p,sev=page", 1)),
            _expect(2, 1.3, 2, said("alertname=q,sev=crit,team=web", 1)),
            _expect(0, 1.3, 2, said("alertname=r,sev=paged", 1)),
        ],
    ),
    Case(
        "resolved_is_not_sent_where_it_is_not_wanted",
        _config(repeat="1h", hooks=(", send_resolved: false", "")),
        [
            _post(1, said("alertname=a,n=1", 1), said("alertname=a,n=2", 1)),
            _post(2.5, said("alertname=a,n=1", 1, 2.5)),
            _post(4.5, said("alertname=a,n=2", 1, 4.5)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=a,n=1", 1), said("alertname=a,n=2", 1)),
            _expect(1, 2, 2.5, said("alertname=a,n=1", 1), said("alertname=a,n=2", 1)),
            _expect(1, 3, 3.5, said("alertname=a,n=1", 1, 2.5), said("alertname=a,n=2", 1)),
            _expect(1, 5, 5.5, said("alertname=a,n=2", 1, 4.5)),
        ],
        until=7,
    ),
    Case(
        "a_resolve_that_was_not_sent_is_remembered",
        _config(repeat="1h", hooks=(", send_resolved: false",)),
        [
            _post(1, said("alertname=a", 1)),
            _post(2.5, said("alertname=a", 1, 2.5)),
            _post(4.2, said("alertname=a", 4.2)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=a", 1)),
            _expect(0, 5, 5.5, said("alertname=a", 4.2)),
        ],
        until=6.5,
    ),
    Case(
        "coming_and_going_between_two_ticks_tells_nobody",
        _config(interval="3s", repeat="1h"),
        [
            _post(1, said("alertname=a,n=1", 1)),
            _post(2.6, said("alertname=a,n=1", 1, 2.6)),
            _post(3.0, said("alertname=a,n=1", 3.0)),
            _post(5.5, said("alertname=b", 5.5)),
            _post(5.9, said("alertname=b", 5.5, 5.9)),
        ],
        [_expect(0, 2, 2.5, said("alertname=a,n=1", 1))],
        until=7,
    ),
    Case(
        "reload_tells_nothing_twice_and_restarts_the_rhythm",
        _config(by="[]", interval="6s", repeat="10m"),
        [_post(1, said("alertname=test1", 1)), Reload(3), _post(4, said("alertname=test2", 4))],
        [
            _expect(0, 2, 2.5, said("alertname=test1", 1)),
            _expect(0, 9, 9.5, said("alertname=test1", 1), said("alertname=test2", 4)),
        ],
    ),
    Case(
        "a_changed_route_takes_effect",
        _config(interval="1m", repeat="1h"),
        [
            _post(1, said("alertname=a", 1)),
            Reload(
                3,
                _config(
                    interval="1m",
                    repeat="1h",
                    routes="  routes:\n  - { receiver: b, matchers: [ alertname=a ] }\n",
                    receivers="- name: b\n  webhook_configs:\n  - { url: '{wh1}' }\n",
                ),
            ),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=a", 1)),
            _expect(1, 3, 3.6, said("alertname=a", 1)),
        ],
        until=5,
    ),
    Case(
        "grouped_by_all_labels",
        _config(by="['...']", repeat="1h"),
        [_post(1, said("alertname=a,n=1", 1), said("alertname=a,n=2", 1))],
        [_expect(0, 2, 2.5, said("alertname=a,n=1", 1)), _expect(0, 2, 2.5, said("alertname=a,n=2", 1))],
        until=4,
    ),
    Case(
        "muted_at_all_times",
        _config(
            repeat="1h",
            routes="  routes:\n  - { receiver: default, matchers: [ alertname=a ], mute_time_intervals: [ always ] }\n"
            "  - { receiver: default, matchers: [ alertname=b ], active_time_intervals: [ never ] }\n",
            more="time_intervals:\n- name: always\n  time_intervals:\n  - months: [ 'january:december' ]\n"
            "- name: never\n  time_intervals:\n  - years: [ '1999' ]\n",
        ),
        [_post(1, said("alertname=a", 1), said("alertname=b", 1), said("alertname=c", 1))],
        [_expect(0, 2, 2.5, said("alertname=c", 1))],
        until=4,
    ),
    Case(
        "a_new_episode_has_its_own_start",
        _config(repeat="1h"),
        [
            _post(1, said("alertname=a", 1)),
            _post(2.5, said("alertname=a", 1, 2.4)),
            _post(3.4, said("alertname=a", 3.3)),
        ],
        [
            _expect(0, 2, 2.5, said("alertname=a", 1)),
            _expect(0, 3, 3.5, said("alertname=a", 1, 2.4)),
            _expect(0, 4, 4.5, said("alertname=a", 3.3)),
        ],
        until=5.5,
    ),
    Case(
        "silenced_while_it_resolves",
        _config(repeat="1h"),
        [
            _post(1, said("alertname=a", 1)),
            Silence(2.3, "s", 2.3, 100, ("alertname=a",)),
            _post(2.6, said("alertname=a", 1, 2.6)),
            Unsilence(4.3, "s"),
        ],
        [_expect(0, 2, 2.5, said("alertname=a", 1))],
        until=7,
    ),
)
