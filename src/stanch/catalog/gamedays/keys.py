"""The keys of the files in the folder `gamedays`, as documentation and reader know them."""

from typing import Final

from stanch.catalog.gamedays.model import Act, TargetKind
from stanch.catalog.key import Key, Type

# A day: whoever plays longer plays two.
LONGEST_S: Final = 86_400.0
_MOST_BYTES: Final = 1e12
_MOST_CONNECTIONS: Final = 10_000

TARGET: Final = (
    Key(
        name="kind",
        type=Type.TEXT,
        doc="What it is; decides what can be done.",
        required=True,
        words=tuple(TargetKind),
    ),
    Key(name="services", type=Type.TEXTS, doc="The services that suffer; an open incident on one keeps it shut."),
    Key(name="most_share", type=Type.RATIO, doc="The largest share of its instances hit at once.", low=0.0, high=1.0),
    Key(name="pid_files", type=Type.TEXTS, doc="`process`: a file with the process id, one per instance."),
    Key(name="start", type=Type.TEXTS, doc="`process`: starts it again after a kill, where nothing else does."),
    Key(name="kubectl", type=Type.TEXT, doc="`pods`: the program; by default `kubectl`."),
    Key(name="context", type=Type.TEXT, doc="`pods`: the context of the kubeconfig."),
    Key(name="namespace", type=Type.TEXT, doc="`pods`: the namespace."),
    Key(name="selector", type=Type.TEXT, doc="`pods`: the labels, such as `app=payments`."),
    Key(name="control", type=Type.TEXT, doc="`proxy`, `toxiproxy`: the URL that it is told at."),
    Key(name="proxy", type=Type.TEXT, doc="`toxiproxy`: the name of the proxy there."),
    Key(name="folder", type=Type.TEXT, doc="`folder`: where one file of our own is put."),
    Key(name="most_bytes", type=Type.INTEGER, doc="`folder`: the largest such file.", low=1, high=_MOST_BYTES),
    Key(
        name="keep_free_bytes",
        type=Type.INTEGER,
        doc="`folder`: what stays free on that disk whatever a step asks.",
        low=0,
        high=_MOST_BYTES,
    ),
    Key(name="address", type=Type.TEXT, doc="`address`: the host and port that connections are opened to."),
    Key(
        name="most_connections",
        type=Type.INTEGER,
        doc="`address`: the most connections.",
        low=1,
        high=_MOST_CONNECTIONS,
    ),
    Key(name="do", type=Type.TEXTS, doc="`command`: what is run; no shell."),
    Key(name="undo", type=Type.TEXTS, doc="`command`: what takes it back; may run twice."),
    Key(name="lasting", type=Type.TEXT, doc="`command`: why there is nothing to take back."),
    Key(name="person", type=Type.TEXT, doc="`person`: who does not answer while it lasts."),
    Key(name="timeout_s", type=Type.SECONDS, doc="How long one command or answer may take.", low=1, high=600),
)

SCENARIO: Final = (
    Key(name="title", type=Type.TEXT, doc="What happens, in one line.", required=True),
    Key(name="description", type=Type.TEXT, doc="What it is good for."),
    Key(name="services", type=Type.TEXTS, doc="Services that suffer besides those of the targets."),
    Key(
        name="within_s",
        type=Type.SECONDS,
        doc="When everything is undone at the latest.",
        low=1,
        high=LONGEST_S,
    ),
    Key(name="most_targets", type=Type.INTEGER, doc="How many targets it may hit.", low=1, high=20),
    Key(name="most_share", type=Type.RATIO, doc="The largest share of a target's instances.", low=0.0, high=1.0),
    Key(name="steps", type=Type.LIST_OF_TABLES, doc="What is done, in order.", required=True),
    Key(name="expect", type=Type.TABLE, doc="What is expected of those who respond."),
)

STEP: Final = (
    Key(name="do", type=Type.TEXT, doc="What is done.", required=True, words=tuple(Act)),
    Key(name="target", type=Type.TEXT, doc="To what: the name of a target.", required=True),
    Key(name="at_s", type=Type.SECONDS, doc="When, from the beginning on.", low=0, high=LONGEST_S),
    Key(name="for_s", type=Type.SECONDS, doc="How long; 0 until the end.", low=0, high=LONGEST_S),
    Key(name="share", type=Type.RATIO, doc="The share of the instances; 0 is one of them.", low=0.0, high=1.0),
    Key(name="delay_ms", type=Type.NUMBER, doc="`delay`: how long each request waits.", low=1, high=600_000),
    Key(name="ratio", type=Type.RATIO, doc="`fail`: the share of the requests.", low=0.0, high=1.0),
    Key(name="status", type=Type.INTEGER, doc="`fail`: the HTTP status.", low=400, high=599),
    Key(name="bytes", type=Type.INTEGER, doc="`fill`: how much.", low=1, high=_MOST_BYTES),
    Key(name="connections", type=Type.INTEGER, doc="`exhaust`: how many.", low=1, high=_MOST_CONNECTIONS),
)

EXPECT: Final = (
    Key(name="kinds", type=Type.TEXTS, doc="The kinds of hypotheses that are right."),
    Key(name="about", type=Type.TEXTS, doc="The services that a right hypothesis names."),
    Key(name="detect_s", type=Type.SECONDS, doc="From the first fault to the declaration.", low=0, high=LONGEST_S),
    Key(
        name="acknowledge_s",
        type=Type.SECONDS,
        doc="From the declaration to the acknowledgement.",
        low=0,
        high=LONGEST_S,
    ),
    Key(
        name="hypothesis_s",
        type=Type.SECONDS,
        doc="From the first fault to the right hypothesis.",
        low=0,
        high=LONGEST_S,
    ),
    Key(
        name="mitigate_s", type=Type.SECONDS, doc="From the first fault to the end of the harm.", low=0, high=LONGEST_S
    ),
    Key(name="updates", type=Type.BOOLEAN, doc="Whether promised updates must have come in time."),
)
