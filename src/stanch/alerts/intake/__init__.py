"""Alerts that others send: routes, groups, silences, inhibition, time intervals, and what each alert led to.

The rules are those of Prometheus Alertmanager, whose configuration is read as it is. Own checks have rules of their
own, one package above.
"""
