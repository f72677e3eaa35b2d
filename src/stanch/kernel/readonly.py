"""What a read-only query may say: SQL, Redis commands, programs. Owns the rules; time-outs and transactions are the
integrations'.

The second lock, not the only one: SQL also runs in a read-only transaction, as a role that should have no right to
write. Some functions act even there (they end sessions, read files), so a query that names one is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from stanch.kernel.errors import Refused

_FIRST_WORDS: Final = frozenset({"SELECT", "WITH", "SHOW", "TABLE", "VALUES", "EXPLAIN"})
# Literals, quoted names and comments say nothing about what a statement does.
_QUIET: Final = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$([A-Za-z_]*)\$.*?\$\1\$", re.DOTALL
)
_COMMENT: Final = re.compile(r"--(?=\s|$)[^\n]*|/\*.*?\*/", re.DOTALL)
# Where dialects disagree on what is a literal or a comment, what hides in one for us may be run by the server.
_TRICKS: Final = re.compile(r"\\['\"]|/\*M?!|\bU&\s*['\"]|#(?![>-])[^\n]*['\"`]|--(?!\s|$)", re.IGNORECASE)
_CHANGES_ROWS: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "SELECT"})
_WRITES: Final = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|DROP|ALTER|CREATE|GRANT|REVOKE|COPY|CALL|DO|VACUUM|REINDEX|CLUSTER|LOCK"
    r"|REFRESH|NOTIFY|LISTEN|SET|RESET|PREPARE|EXECUTE|DEALLOCATE|BEGIN|COMMIT|ROLLBACK|KILL|FLUSH|LOAD|HANDLER|RENAME"
    r"|ANALYZE|INTO|SHUTDOWN|PURGE|OPTIMIZE|REPAIR|INSTALL|UNINSTALL|USE)\b",
    re.IGNORECASE,
)
_FOR_LOCK: Final = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE|KEY)\b|\bLOCK\s+IN\b", re.IGNORECASE)
_ACTS: Final = re.compile(
    r"\b(?:pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_promote|pg_sleep\w*"
    r"|pg_(?:try_)?advisory\w*|pg_(?:read|ls|stat)_(?:binary_)?(?:file|dir|logdir|waldir|tmpdir)\w*|pg_create_\w+"
    r"|pg_drop_\w+|pg_copy_\w+|pg_replication_\w+|pg_logical_\w+|pg_wal_replay_\w+|pg_stat_reset\w*|pg_notify"
    r"|pg_start_backup|pg_stop_backup|pg_backup_\w+|pg_export_snapshot|pg_file_\w+|lo_\w+|dblink\w*|query_to_\w+"
    r"|database_to_\w+|table_to_\w+|cursor_to_\w+|set_config|setval|nextval|txid_current|pg_current_xact_id"
    r"|load_file|sleep|benchmark|get_lock|release_lock\w*|release_all_locks|master_pos_wait|source_pos_wait"
    r"|sys_exec|sys_eval)[\"`]?\s*\(",
    re.IGNORECASE,
)

_REDIS: Final[Mapping[str, frozenset[str] | None]] = {
    # A command with None may have any arguments; one with words only those as its first argument.
    "INFO": None,
    "PING": frozenset(),
    "DBSIZE": frozenset(),
    "ROLE": frozenset(),
    "LASTSAVE": frozenset(),
    "TIME": frozenset(),
    "SLOWLOG": frozenset({"GET", "LEN"}),
    "CLIENT": frozenset({"LIST", "INFO"}),
    "CONFIG": frozenset({"GET"}),
    "MEMORY": frozenset({"STATS", "DOCTOR"}),
    "LATENCY": frozenset({"LATEST", "HISTORY"}),
    "CLUSTER": frozenset({"INFO", "NODES", "SHARDS"}),
    "COMMAND": frozenset({"COUNT"}),
}

_PROGRAMS: Final[Mapping[str, tuple[str, ...] | None]] = {
    # None: the program only reads. A tuple: its first argument must fit one of these.
    "cat": (r"/proc/[\w/.-]+", r"/sys/[\w/.-]+"),
    "df": None,
    "free": None,
    "uptime": (),
    "ss": None,
    "ps": None,
    "vmstat": None,
    "nproc": (),
    "lsblk": None,
    "journalctl": None,
    "systemctl": ("status", "show", "list-units", "is-active", "is-failed", "--failed"),
    "jcmd": (r"\d+",),
    "py-spy": ("dump",),
}
# Ways out of /proc into any file, and what processes keep to themselves.
_ELSEWHERE: Final = frozenset({"root", "cwd", "exe", "fd", "task", "map_files", "environ", "mem", "kcore", "auxv"})
_JCMD: Final = frozenset(
    {"GC.heap_info", "GC.class_histogram", "Thread.print", "VM.flags", "VM.uptime", "VM.version", "VM.native_memory"}
)
_PROGRAM_DENIES: Final[Mapping[str, re.Pattern[str]]] = {
    # Options with which a reading program writes, kills or does not come back.
    "journalctl": re.compile(
        r"-f|--follow|--vacuum|--rotate|--flush|--sync|--relinquish|--cursor-file|--setup|--update"
    ),
    "ss": re.compile(r"-[a-zA-Z]*[KEDF]|--kill|--events|--diag|--filter"),
    "systemctl": re.compile(r"-H|--host|-M|--machine|--root"),
    "df": re.compile(r"--sync"),
}

_KUBECTL: Final[Mapping[str, frozenset[str] | None]] = {
    "get": None,
    "top": frozenset({"pod", "pods", "node", "nodes"}),
    "logs": None,
    "rollout": frozenset({"history", "status"}),
    "version": None,
    "auth": frozenset({"can-i"}),
}
_KUBECTL_DENIES: Final = re.compile(r"-f|--follow.*|-w|--watch.*|--raw.*|--kubeconfig.*|--token.*|--as.*|-s|--server.*")
_KUBECTL_SECRET: Final = re.compile(r"(?:^|[,/])secrets?(?:$|[,/.])", re.IGNORECASE)


def check_sql(text: str) -> None:
    """Raise `Refused` unless `text` is one statement that only reads.

    A function that acts is refused wherever its call stands, in quotes and in literals too, and so is what one dialect
    reads as a literal or a comment and another does not.
    """
    if trick := _TRICKS.search(text):
        _refuse(f"what stands around {trick.group()[:20]!r} can be read in more than one way")
    bare = _QUIET.sub(" '' ", text).strip().rstrip(";").strip()
    if ";" in bare:
        _refuse("it has more than one statement")
    first = re.match(r"\(*\s*(\w+)", bare)
    if first is None or first.group(1).upper() not in _FIRST_WORDS:
        _refuse("it must begin with SELECT, WITH, SHOW, TABLE, VALUES or EXPLAIN")
    acts = _ACTS.search(text) or _ACTS.search(_COMMENT.sub(" ", text))
    if found := _FOR_LOCK.search(bare) or acts or _WRITES.search(bare):
        said = " ".join(found.group().split()).rstrip('(` "')
        _refuse(f"it says {said}")


def check_change(text: str) -> None:
    """Raise `Refused` unless `text` is one statement that changes rows, and that a transaction can take back.

    What names no rows is refused (a table dropped, a privilege given): some servers end the transaction with it.
    """
    if trick := _TRICKS.search(text):
        _refuse_change(f"what stands around {trick.group()[:20]!r} can be read in more than one way")
    bare = _QUIET.sub(" '' ", text).strip().rstrip(";").strip()
    if ";" in bare:
        _refuse_change("it has more than one statement")
    first = re.match(r"\(*\s*(\w+)", bare)
    if first is None or first.group(1).upper() not in _CHANGES_ROWS:
        _refuse_change(f"it must begin with {', '.join(sorted(_CHANGES_ROWS))}")
    if found := re.search(r"\bINTO\s+(?:OUTFILE|DUMPFILE)\b", bare, re.IGNORECASE):
        _refuse_change(f"it says {' '.join(found.group().split())}")


def acting(text: str) -> str:
    """Return the first function in a statement that acts at once, whatever becomes of its transaction; or nothing."""
    found = _ACTS.search(text) or _ACTS.search(_COMMENT.sub(" ", text))
    return found.group().rstrip('(` "') if found else ""


def check_redis(argv: Sequence[str]) -> None:
    """Raise `Refused` unless a Redis command is one of those that only read about the server."""
    name = argv[0].upper() if argv else ""
    if name not in _REDIS:
        _refuse(f"{name or 'an empty command'} is not on the list of commands that only read")
    words = _REDIS[name]
    if words is not None and (argv[1:2] or words) and (not argv[1:] or argv[1].upper() not in words):
        _refuse(f"{' '.join(argv[:2]).upper()} is not on the list of commands that only read")


def check_program(argv: Sequence[str]) -> None:
    """Raise `Refused` unless a program is on the list and its arguments let it only read."""
    name = argv[0] if argv else ""
    if name == "kubectl":
        check_kubectl(argv[1:])
        return
    if name not in _PROGRAMS:
        _refuse(f"{name or 'an empty command'} is not on the list of programs that only read")
    first = _PROGRAMS[name]
    given = argv[1:]
    if first is not None and (given or first) and not (given and any(re.fullmatch(one, given[0]) for one in first)):
        _refuse(f"{name} may not be given {given[0] if given else 'nothing'!r}")
    if name == "cat" and any(".." in one or not one.startswith(("/proc/", "/sys/")) for one in given):
        _refuse("cat may only read /proc and /sys")
    if name == "cat" and any(_ELSEWHERE & set(one.split("/")) for one in given):
        _refuse("it reads what belongs to another process")
    if name == "jcmd" and (len(given) < 2 or given[1] not in _JCMD):
        _refuse(f"jcmd may only be asked for {', '.join(sorted(_JCMD))}")
    denied = _PROGRAM_DENIES.get(name)
    if denied is not None and (found := next((one for one in given if denied.match(one)), None)):
        _refuse(f"{name} may not be given {found}")


def check_kubectl(arguments: Sequence[str]) -> None:
    """Raise `Refused` unless arguments of kubectl only read, and read no secret."""
    verb = arguments[0] if arguments else ""
    if verb not in _KUBECTL:
        _refuse(f"kubectl {verb} is not on the list of verbs that only read")
    words = _KUBECTL[verb]
    if words is not None and (len(arguments) < 2 or arguments[1] not in words):
        _refuse(f"kubectl {verb} may only be given {', '.join(sorted(words))}")
    if verb != "logs" and any(_KUBECTL_SECRET.search(one) for one in arguments[1:]):
        _refuse("it reads secrets")
    if found := next((one for one in arguments if _KUBECTL_DENIES.fullmatch(one)), None):
        _refuse(f"kubectl may not be given {found}")


def _refuse_change(why: str) -> None:
    raise Refused(f"this is no statement that may be planned: {why}", reason="not_allowed")


def _refuse(why: str) -> None:
    raise Refused(f"this is not a read-only query: {why}", reason="not_read_only")
