"""A query and a pack of them, as their files declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Language(StrEnum):
    """What a query is written in."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    SQLITE = "sqlite"
    REDIS = "redis"
    RABBITMQ = "rabbitmq"
    NGINX = "nginx"
    KUBECTL = "kubectl"
    PROGRAM = "program"
    PROMQL = "promql"


class Take(StrEnum):
    """Which row of an answer speaks: the first, the one with the largest or smallest value, all added up, or how many
    there are."""

    FIRST = "first"
    MAX = "max"
    MIN = "min"
    SUM = "sum"
    COUNT = "count"


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question with what its answer means.

    `value` is the column that counts, `per` the column that tells rows apart where each is judged by itself, `keep` the
    values of columns that rows must have. The answer is out of the ordinary from `threshold` on (down from it where
    `below`), and where a normal is known at `factor` times of it. `says` is the sentence, filled from the columns;
    `none` the sentence where there are no rows. `needs` is a pattern that a metric's name must fit (`promql`).
    """

    name: str
    pack: str
    language: Language
    title: str
    text: str
    meaning: str
    unit: str = ""
    value: str = ""
    take: Take = Take.FIRST
    per: str = ""
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    threshold: float | None = None
    below: bool = False
    factor: float | None = None
    signal: str = ""
    resource: str = ""
    says: str = ""
    none: str = ""
    needs: str = ""
    pattern: str = ""
    timeout_s: float = 3.0
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Packs:
    """Every query by its name, `pack.query`, in the order of the files."""

    queries: Mapping[str, Query] = field(default_factory=dict)

    def of_language(self, language: str) -> tuple[Query, ...]:
        """Return the queries in one language."""
        return tuple(query for query in self.queries.values() if query.language == language)

    def of_system(self, system: str) -> tuple[Query, ...]:
        """Return what a system of this kind is asked: its own pack in its own language; all PromQL of Prometheus."""
        if system == "prometheus":
            return self.of_language(Language.PROMQL)
        return tuple(
            query for query in self.queries.values() if query.pack == system and query.language is not Language.PROMQL
        )
