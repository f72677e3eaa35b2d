"""What a read-only query may say."""

import pytest

from stanch.kernel.errors import Refused
from stanch.kernel.readonly import check_kubectl, check_program, check_redis, check_sql


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "select 'DELETE FROM t; DROP TABLE t' AS words;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SHOW GLOBAL STATUS LIKE 'Thr%'",
        "EXPLAIN SELECT * FROM cards WHERE id = 1",
        "(SELECT 1) UNION (SELECT 2)",
        'SELECT "update" FROM t -- DELETE',
        "SELECT /* DROP */ 1",
        "SELECT updated_at, deleted, settings FROM t",
        "SELECT $$ DROP TABLE t; $$",
    ],
)
def test_sql_that_reads_passes(text: str) -> None:
    """Words in literals, names and comments do nothing."""
    check_sql(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DROP TABLE t",
        "SELECT 1; SELECT 2",
        "SELECT 1 /* */ ; DELETE FROM t",
        "WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM a",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT dblink_exec('x', 'DROP TABLE t')",
        "SELECT nextval('s')",
        "SELECT pg_advisory_lock(1)",
        "SELECT * FROM t FOR NO KEY UPDATE",
        "SELECT * FROM t LOCK IN SHARE MODE",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT benchmark(1e9, 1)",
        "SET x = 1",
        "VACUUM",
        "DO $$ BEGIN END $$",
        'SELECT "pg_terminate_backend"(1)',
        "SELECT pg_terminate_backend/**/(1)",
        'SELECT U&"pg_terminate\\005fbackend"(1)',
        "SELECT 1 /*!, sleep(9) */",
        "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */",
        "SELECT 'a\\'', sleep(9), 'b' AS n",
        "SELECT 1--sleep(9)",
        "SELECT 1 # '\n INTO OUTFILE '/tmp/x' # '",
        "SELECT 1 AS $$, sleep(9), 2 AS $$",
    ],
)
def test_sql_that_does_more_is_refused(text: str) -> None:
    """What writes, locks, waits, acts or reads files is refused, with the reason."""
    with pytest.raises(Refused, match="not a read-only query"):
        check_sql(text)


@pytest.mark.parametrize("text", ["INFO everything", "SLOWLOG GET 10", "client list", "CONFIG GET maxmemory", "PING"])
def test_redis_commands_that_read_pass(text: str) -> None:
    """Commands about the server, in any case."""
    check_redis(text.split())


@pytest.mark.parametrize("text", ["", "SLOWLOG RESET", "CLIENT KILL x", "CONFIG SET a b", "GET a", "PING x", "MONITOR"])
def test_redis_commands_that_do_more_are_refused(text: str) -> None:
    """What changes something, reads data, or streams for ever is refused."""
    with pytest.raises(Refused):
        check_redis(text.split())


@pytest.mark.parametrize(
    "text", ["df -P", "cat /proc/loadavg", "systemctl status payments", "jcmd 12 Thread.print", "kubectl get pods -n a"]
)
def test_programs_that_read_pass(text: str) -> None:
    """Programs on the list with arguments that only read."""
    check_program(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "curl x",
        "cat /etc/passwd",
        "cat /proc/1/../../etc/shadow",
        "cat /proc/self/cwd/etc/shadow",
        "cat /proc/1/environ",
        "systemctl stop x",
        "ss -tK",
        "df --sync",
    ],
)
def test_programs_that_do_more_are_refused(text: str) -> None:
    """Other programs, other files and options that act are refused."""
    with pytest.raises(Refused):
        check_program(text.split())


@pytest.mark.parametrize(
    "text",
    ["get secrets", "get secret/x", "get pods,secrets", "get secrets.v1.", "logs x -f", "edit pods", "get -f x", ""],
)
def test_kubectl_that_does_more_is_refused(text: str) -> None:
    """Verbs that change, secrets, and what does not end are refused."""
    with pytest.raises(Refused):
        check_kubectl(text.split())
