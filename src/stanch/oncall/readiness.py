"""Who cannot be reached, which levels are empty, which policies end nowhere: said before it matters. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stanch.catalog.model import Catalog, Person
from stanch.catalog.oncall import Policy
from stanch.oncall.contacts import reaches
from stanch.oncall.pages.tables import Contact, Trouble

PeopleOf = Callable[[Iterable[str]], list[Person]]


class Lack(StrEnum):
    """What is missing."""

    NO_METHOD = "no_method"
    NO_PROVIDER = "no_provider"
    NOT_VERIFIED = "not_verified"
    BOUNCED = "bounced"
    CREDENTIALS = "credentials"
    EMPTY_LEVEL = "empty_level"
    ENDS_NOWHERE = "ends_nowhere"
    NO_LEVELS = "no_levels"
    NO_POLICY = "no_policy"
    ONE_METHOD = "one_method"


@dataclass(frozen=True, kw_only=True)
class Shortcoming:
    """One thing that is not ready. A `grave` one means that a page can be lost; `what` is who or what it is about."""

    lack: Lack
    what: str
    message: str
    hint: str
    grave: bool = True


def shortcomings(
    catalog: Catalog, contacts: Mapping[tuple[str, str], Contact], *, people_of: PeopleOf, served: frozenset[str]
) -> tuple[Shortcoming, ...]:
    """Return everything that is not ready, grave things first.

    `people_of` says who stands behind targets now, `served` which kinds of methods some provider serves. Nothing is
    missing where nothing about on-call is configured.
    """
    oncall = catalog.oncall
    if not oncall.policies and not oncall.schedules:
        return ()
    found = [one for policy in oncall.policies.values() for one in _of_policy(policy, people_of)]
    found += _services_without(catalog)
    targets = [target for policy in oncall.policies.values() for target in _targets(policy)]
    # Everybody who may be paged one day, not only who is on call now.
    every = [*targets, *(f"schedule:{name}/all" for name in oncall.schedules)]
    for person in people_of(dict.fromkeys(every)):
        found += _of_person(person, contacts, served)
    return tuple(sorted(found, key=lambda one: not one.grave))


def of_provider(trouble: Trouble, *, alone: bool) -> Shortcoming:
    """Return what is not ready as a provider does not accept us; `alone` says that none stands in for it."""
    return Shortcoming(
        lack=Lack.CREDENTIALS,
        what=f"provider {trouble.provider}",
        message=f"provider {trouble.provider} does not accept us since {trouble.since:%Y-%m-%d %H:%M} UTC: "
        f"{trouble.detail}",
        hint="mend its token or log-in; contacts stay verified. Then see that it works: stanch page test",
        grave=alone,
    )


def _targets(policy: Policy) -> list[str]:
    return [*(target for step in policy.steps for target in step.targets), *policy.fallback]


def _of_policy(policy: Policy, people_of: PeopleOf) -> list[Shortcoming]:
    where = f"policy {policy.name}"
    found = []
    if not policy.steps:
        found.append(
            Shortcoming(
                lack=Lack.NO_LEVELS,
                what=where,
                message=f"{where} has no levels",
                hint="add [[oncall.policies...steps]]",
            )
        )
    for number, step in enumerate(policy.steps, start=1):
        if not people_of(step.targets):
            found.append(
                Shortcoming(
                    lack=Lack.EMPTY_LEVEL,
                    what=where,
                    message=f"level {number} of {where} is nobody now ({', '.join(step.targets)})",
                    hint="fill the schedule, or let the level name somebody else",
                )
            )
    if not policy.fallback or not people_of(policy.fallback):
        found.append(
            Shortcoming(
                lack=Lack.ENDS_NOWHERE,
                what=where,
                message=f"{where} ends nowhere: when nobody answers there is no last resort",
                hint='write fallback = ["person:..."]',
                grave=False,
            )
        )
    return found


def _services_without(catalog: Catalog) -> list[Shortcoming]:
    oncall = catalog.oncall
    if oncall.policy in oncall.policies:
        return []
    return [
        Shortcoming(
            lack=Lack.NO_POLICY,
            what=f"service {name}",
            message=f"nobody is paged about {name}: it has no policy and there is no default",
            hint='write policy = "..." into [oncall], or for the service',
        )
        for name, service in catalog.services.items()
        if not service.external and service.policy not in oncall.policies
    ]


def _of_person(
    person: Person, contacts: Mapping[tuple[str, str], Contact], served: frozenset[str]
) -> list[Shortcoming]:
    where = f"person {person.id}"
    if not person.methods:
        return [
            Shortcoming(
                lack=Lack.NO_METHOD,
                what=where,
                message=f"{person.id} cannot be reached: no contact method",
                hint=f"write [people.{person.id}] methods.push = ...",
            )
        ]
    found = [
        Shortcoming(
            lack=Lack.NO_PROVIDER,
            what=where,
            message=f"{person.id} cannot be reached by {method.id}: no provider serves {method.kind}",
            hint="write a table [pagers.<name>]",
        )
        for method in person.methods
        if method.kind not in served
    ]
    good = [method for method in reaches(person, contacts) if method.kind in served]
    bounced = [
        method.id
        for method in person.methods
        if (known := contacts.get((person.id, method.id))) and known.bounced_at and method not in good
    ]
    if not good:
        lack = Lack.BOUNCED if bounced else Lack.NOT_VERIFIED
        why = f"{', '.join(bounced)} bounced" if bounced else "no verified contact method"
        message = f"{person.id} may not be reached: {why}"
        hint = f"stanch contact code METHOD --person {person.id}"
        found.append(Shortcoming(lack=lack, what=where, message=message, hint=hint))
    elif len(good) == 1:
        found.append(
            Shortcoming(
                lack=Lack.ONE_METHOD,
                what=where,
                message=f"{person.id} has one way to be reached, {good[0].id}, and no other when that fails",
                hint="add and verify a second method of another kind",
                grave=False,
            )
        )
    return found
