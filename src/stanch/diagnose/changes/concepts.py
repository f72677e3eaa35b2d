"""The mechanisms by which software fails, as families of words: a diff about `pool` may explain "no free connection".

A small vocabulary of the trade in general. It names no product's services and no incident.
"""

from collections import Counter
from collections.abc import Iterable

_FAMILIES = {
    "time limits": "timeout timeouts timed deadline exceeded cancelled canceled budget context expire expired",
    "connections": "pool pools connection connections conn conns acquire acquiring exhausted idle socket"
    " sockets hikari pgx",
    "retries": "retry retries retrying backoff attempt attempts jitter conflict cas optimistic",
    "caching": "cache caches cached caching ttl hit miss misses evict eviction stampede redis memcached lru warm",
    "queries": "query queries sql select rows row scan index indexes limit slow statement where join order seq cursor",
    "schema": "schema migration migrations column columns table tables relation mapping mappings field fields"
    " alter drop rename renamed constraint exist exists",
    "memory": "memory heap oom leak rss buffer buffers alloc allocation gc killed resident unbounded",
    "processor": "cpu throttled throttling load loop regex busy spin core cores",
    "disk": "disk space volume inode filesystem device debug level verbose verbosity sample retention rotate rotation"
    " sink throughput fsync",
    "names": "dns lookup resolve resolver host hostname domain nameserver servfail nxdomain endpoint endpoints",
    "certificates": "tls ssl cert certs certificate certificates handshake issuer expiry ca trust mtls",
    "access": "auth token tokens jwt permission permissions forbidden unauthorized denied secret secrets credential"
    " credentials role roles scope audience password login oidc rbac key",
    "formats": "json decode decoding unmarshal parse parser parsing proto protobuf encode encoding deserialize avro"
    " payload serializer serialization format registration descriptor enum",
    "queues": "queue queues consumer consumers producer lag partition partitions offset kafka topic prefetch ack"
    " backlog rebalance broker rabbit amqp sqs",
    "locks": "lock locks locked mutex deadlock transaction transactions txn contention blocked waiting serializable",
    "workers": "worker workers thread threads goroutine goroutines concurrency semaphore parallel inflight executor"
    " process processes",
    "quotas": "rate quota quotas throttle ratelimit limiter burst tokens",
    "capacity": "replica replicas hpa autoscaler instances resources requests scale scaling pods pod nodes",
    "start-up": "startup start starting init panic crash crashloop crashed restart restarts import dependency module"
    " modules runtime incompatible version readiness liveness probe healthcheck boot",
    "network": "route routes routing network firewall policy ingress egress proxy port refused reset gateway"
    " mesh sidecar",
    "absence": "nil null none undefined nonetype npe nullpointerexception optional missing",
    "arithmetic": "overflow divide zero nan precision rounding range bounds",
    "flow": "traffic shard sharding balance balancer weight canary route",
}
_FAMILY_OF: dict[str, tuple[str, ...]] = {}
for _name, _words in _FAMILIES.items():
    for _word in _words.split():
        _FAMILY_OF[_word] = (*_FAMILY_OF.get(_word, ()), _name)


def families(words: Iterable[str]) -> Counter[str]:
    """Count the families that `words` (lower case) belong to; a word of two families counts half for each."""
    found: Counter[str] = Counter()
    weights: dict[str, float] = {}
    for word in words:
        names = _FAMILY_OF.get(word, ())
        for name in names:
            weights[name] = weights.get(name, 0.0) + 1 / len(names)
    for name, weight in weights.items():
        found[name] = max(1, round(weight))
    return found
