"""Reads stack traces of Python, Java and its relatives, Node, .NET, Go, Ruby, PHP and Rust out of text.

Owns one question, "which exception, raised where", and a second one that a reader of streams asks: "does this line go
on with the trace before it". Splitting a stream into records is `records`' part.
"""

import re
from collections.abc import Sequence

from stanch.diagnose.logs.model import MAX_FRAMES, MAX_MESSAGE, ExceptionInfo, Frame

_PYTHON_HEAD = re.compile(r"\s*[|+]?\s*[+|]?\s*(?:Exception Group )?Traceback \(most recent call last\)")
_PYTHON_FRAME = re.compile(r'[\s|+]*File "([^"]{1,1024})", line (\d{1,9})(?:, in (.{1,256}))?')
_PYTHON_CAUSE = "The above exception was the direct cause of the following exception"
_PYTHON_DURING = "During handling of the above exception, another exception occurred"

# `pkg.Type: message`; a type is an identifier that looks like one of an exception, or any dotted one.
TYPED = re.compile(
    r"(?P<type>(?:[A-Za-z_$][\w$]{0,100}[.:]{1,2}){0,12}[A-Za-z_$][\w$]{0,100})(?:: (?P<message>.*)|:?\s*$)", re.DOTALL
)
EXCEPTION_NAME = re.compile(
    r"(?:Error|Exception|Failure|Fault|Warning|Exit|Interrupt|Throwable|Refused|Timeout|Denied|NotFound|Invalid)$|^Error"
)
_AT = re.compile(
    r"\s+at (?:async |new )?(?:(?P<function>[^\s(][^()\n]{0,300}?) ?)?\("
    r"(?P<place>[^()\n]{0,600}(?:\([^()\n]*\))?[^()\n]*)\)"
    r"(?: in (?P<net>.{1,600}):line (?P<netline>\d{1,9}))?"
    r"|\s+at (?:async )?(?P<bare>\S{1,600}?:\d{1,9}(?::\d{1,9})?)\s*$"
)
_JAVA_PREFIX = re.compile(r'\s*(?:Exception in thread "[^"]{0,200}" |Uncaught exception: )')
_CAUSED = re.compile(r"\s*(?:Caused by|Wrapped by|\[cause\]): ?")
_MORE = re.compile(r"\s+\.{3} (?:\d+ more|\d+ common frames omitted|\d+ lines matching)")
_GO_HEAD = re.compile(r"(?:panic|fatal error): (?P<message>.*)")
_GO_ROUTINE = re.compile(r"goroutine \d{1,12} ?\[")
_GO_PLACE = re.compile(r"\t(?P<file>[^\s:]{1,600}(?::[^\s:]{1,600})?):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?\s*$")
_RUBY_HEAD = re.compile(
    r"(?P<file>\S{1,600}?):(?P<line>\d{1,9}):in [`'](?P<function>[^'`]{1,200})': (?P<message>.*?)"
    r" ?\((?P<type>[A-Z][\w:]{0,200})\)"
)
_RUBY_FROM = re.compile(r"\s+from (?P<file>\S{1,600}?):(?P<line>\d{1,9})(?::in [`'](?P<function>[^'`]{1,200})')?")
_PHP_HEAD = re.compile(
    r"(?:PHP )?(?:Fatal error|Warning): +Uncaught (?P<type>[\w\\]{1,200})(?:: (?P<message>.*))?"
    r" in (?P<file>\S{1,600}):(?P<line>\d{1,9})"
)
_PHP_FRAME = re.compile(r"#\d{1,5} (?P<file>\S{1,600})\((?P<line>\d{1,9})\): (?P<function>.{1,200}?)\(")
_RUST_HEAD = re.compile(
    r"thread '(?P<thread>[^']{0,200})'[^\n]{0,40} panicked at "
    r"(?:'(?P<old>[^\n]*)', )?(?P<file>[^\s:]{1,600}):(?P<line>\d{1,9})"
)
_CONTINUES = re.compile(
    r"\s+at \S|\s*Caused by: |\s*\.{3} \d+ (?:more|common)|\s+from \S+:\d|goroutine \d|\tat |created by \S"
    r"|Stack trace:|#\d{1,5} |\s*Traceback \(most|\[signal |exit status \d|stack backtrace:|\s+\[cause\]"
    r"|Suppressed: |\s+Suppressed: |During handling of the above|The above exception was the direct|note: run with"
)


def continues_trace(line: str) -> bool:
    """Say whether `line` by its own look goes on with a trace or opens one, whatever stood before it."""
    return _CONTINUES.match(line) is not None


def names_exception(line: str) -> bool:
    """Say whether `line` is `SomeError: message` or a bare exception type, possibly behind a thread's name."""
    text = _JAVA_PREFIX.sub("", line[:1024], count=1)
    found = TYPED.match(text)
    return found is not None and _plausible(found.group("type")) and not text[:1].isspace()


def parse_exception(text: str) -> ExceptionInfo | None:
    """Read the exception that `text`, one record with its trace, shows; None where it shows none.

    Of a chain the originating one is taken where the language says "caused by", and the last one where a handler
    failed in turn (Python's "during handling"): that is the one that stopped the work.
    """
    if len(text) < 4:
        return None
    lines = text.split("\n")
    if "Traceback (most recent call last)" in text:
        return _python(lines)
    if "panic: " in text or "fatal error: " in text or "goroutine " in text:
        found = _go(lines)
        if found is not None:
            return found
    if "\n" in text and " at " in text.replace("\t", " "):
        found = _at_frames(lines)
        if found is not None:
            return found
    for read in (_rust, _ruby, _php):
        found = read(lines)
        if found is not None:
            return found
    return None


def exception_in_message(message: str) -> ExceptionInfo | None:
    """Read `Type: message` at the start of a line, or after its first colons, as an exception without a trace."""
    rest = message[:1024]
    for _ in range(3):
        found = TYPED.match(rest)
        if found is not None and EXCEPTION_NAME.search(found.group("type")):
            return ExceptionInfo(type=found.group("type"), message=(found.group("message") or "").strip())
        _, colon, rest = rest.partition(": ")
        if not colon:
            return None
    return None


def _plausible(name: str) -> bool:
    return bool(EXCEPTION_NAME.search(name)) or (name.count(".") >= 2 and name.rsplit(".", 1)[1][:1].isupper())


def _typed(line: str) -> tuple[str, str] | None:
    text = _JAVA_PREFIX.sub("", line, count=1).strip(" |+")
    found = TYPED.match(text)
    return (found.group("type"), (found.group("message") or "").strip()[:MAX_MESSAGE]) if found else None


def _bounded(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Keep the outer and the inner end of a long trace: the middle of a recursion says nothing new."""
    if len(frames) <= MAX_FRAMES:
        return tuple(frames)
    return (*frames[: MAX_FRAMES // 4], *frames[-(MAX_FRAMES - MAX_FRAMES // 4) :])


def _python(lines: Sequence[str]) -> ExceptionInfo | None:
    blocks: list[tuple[str, ExceptionInfo]] = []
    frames: list[Frame] = []
    link, inside = "", False
    for index, line in enumerate(lines):
        if _PYTHON_HEAD.match(line):
            frames, inside = [], True
        elif inside and (found := _PYTHON_FRAME.match(line)):
            frames.append(Frame(file=found.group(1), line=int(found.group(2)), function=found.group(3) or "<module>"))
        elif inside and (_ends_trace(line) or (frames and _ends_group(line))):
            blocks.append((link, _python_end(lines, index, frames)))
            inside = False
        if _PYTHON_CAUSE in line:
            link = "cause"
        elif _PYTHON_DURING in line:
            link = "during"
    if inside and frames:
        blocks.append((link, ExceptionInfo(type="Exception", message="", frames=_bounded(frames))))
    if not blocks:
        return None
    # Walk from the exception that ended the work back through explicit causes to the one they come from.
    chosen = len(blocks) - 1
    while chosen > 0 and blocks[chosen][0] == "cause":
        chosen -= 1
    wrapped = tuple(block.type for _, block in reversed(blocks[chosen + 1 :]))
    origin = blocks[chosen][1]
    return ExceptionInfo(type=origin.type, message=origin.message, frames=origin.frames, wrapped_by=wrapped)


def _ends_trace(line: str) -> bool:
    return bool(line.strip(" |+-")) and not line.startswith((" ", "\t", "|"))


def _ends_group(line: str) -> bool:
    """Say whether a line behind the bar of an exception group is the one with its type: not indented, no frame."""
    bare = line.lstrip(" ")
    text = bare.removeprefix("| ")
    return bare != text and not text.startswith((" ", "+")) and TYPED.match(text) is not None


def _python_end(lines: Sequence[str], index: int, frames: Sequence[Frame]) -> ExceptionInfo:
    typed = _typed(lines[index])
    name, message = typed or ("Exception", lines[index].strip())
    if not message and not typed:
        message = lines[index].strip()
    return ExceptionInfo(type=name, message=message[:MAX_MESSAGE], frames=_bounded(frames))


def _at_frames(lines: Sequence[str]) -> ExceptionInfo | None:
    """Read the traces that write one `at ...` a line, innermost first: Java, Kotlin, Scala, Node, .NET."""
    blocks: list[tuple[str, str, list[Frame]]] = []
    previous = ""
    for line in lines:
        frame = _at_frame(line)
        if frame is not None:
            if not blocks or previous:
                typed = _typed_anywhere(previous)
                blocks.append((*typed, []) if typed else ("Error", previous.strip(), []))
                previous = ""
            blocks[-1][2].append(frame)
        elif _CAUSED.match(line):
            typed = _typed(_CAUSED.sub("", line, count=1))
            previous = ""
            blocks.append((*(typed or ("Error", line.strip())), []))
        elif _MORE.match(line) or not line.strip():
            continue
        elif not blocks:
            # The line of the type, with further lines of its message below it.
            previous = previous + "\n" + line if previous and _typed_anywhere(previous) else line
    if not blocks or not any(frames for _, _, frames in blocks):
        return None
    name, message, inner_first = blocks[-1]
    if not inner_first:  # "Caused by" whose frames are all elided as common ones
        inner_first = next(frames for _, _, frames in reversed(blocks) if frames)
    return ExceptionInfo(
        type=name,
        message=message[:MAX_MESSAGE],
        frames=_bounded(list(reversed(inner_first))),
        wrapped_by=tuple(block[0] for block in blocks[:-1])[:16],
    )


def _typed_anywhere(line: str) -> tuple[str, str] | None:
    """Read the type and message of an `at` trace from the line above it, behind a log header if there is one."""
    rest = _JAVA_PREFIX.sub("", line, count=1).strip()
    rest = rest.removeprefix("Uncaught ").removeprefix("Unhandled exception. ")
    for _ in range(4):
        found = TYPED.match(rest)
        if found is not None and _plausible(found.group("type")):
            return found.group("type"), (found.group("message") or "").strip()
        head, colon, tail = rest.partition(": ")
        if not colon:
            break
        # `message text SomeError: why` carries the type as the last word before the colon.
        word = head.rsplit(" ", 1)[-1]
        if _plausible(word) and TYPED.match(word):
            return word, tail.strip()
        rest = tail
    word = rest.rsplit(" ", 1)[-1]
    return (word, "") if word and _plausible(word) and TYPED.match(word) else None


def _at_frame(line: str) -> Frame | None:
    if " at " not in line[:80] and "\tat " not in line[:80]:
        return None
    found = _AT.match(line)
    if found is None:
        return _net_frame(line)
    if found.group("bare"):
        file, number = _place(found.group("bare"))
        return Frame(file=file, line=number, function="<anonymous>")
    function = (found.group("function") or "<anonymous>").strip()
    if found.group("net"):
        return Frame(file=found.group("net"), line=int(found.group("netline")), function=function)
    file, number = _place(found.group("place"))
    return Frame(file=file, line=number, function=function.rsplit("/", 1)[-1] if file.endswith(".java") else function)


def _net_frame(line: str) -> Frame | None:
    text = line.strip()
    if not text.startswith("at ") or len(text) > 1024 or " " in text[3:].split(" in ", 1)[0].split("(", 1)[0]:
        return None
    return Frame(file="", line=0, function=text[3:].split("(", 1)[0])


def _place(text: str) -> tuple[str, int]:
    """Split `file:line` or `file:line:column`; the file may itself hold colons (`node:internal`, `C:\\x`)."""
    parts = text.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal():
        return parts[0].removeprefix("file://"), int(parts[1][:9])
    if len(parts) >= 2 and parts[-1].isdecimal():
        return ":".join(parts[:-1]).removeprefix("file://"), int(parts[-1][:9])
    return text, 0


def _go(lines: Sequence[str]) -> ExceptionInfo | None:
    frames: list[Frame] = []
    message, function, inside = "", "", False
    for line in lines:
        head = _GO_HEAD.search(line) if not message else None
        if head is not None:
            message = head.group("message").strip()
        elif _GO_ROUTINE.match(line):
            if frames:  # the goroutines after the first did not panic
                break
            inside = True
        elif inside and (place := _GO_PLACE.match(line)):
            if function:
                frames.append(Frame(file=place.group("file"), line=int(place.group("line")), function=function))
            function = ""
        elif inside and line and not line[0].isspace():
            function = "" if line.startswith("created by ") else _go_function(line)
    if not message and not frames:
        return None
    own = [frame for frame in frames if not frame.function.startswith(("runtime.", "panic"))]
    message = re.sub(r" \[recovered.*$", "", message)
    name, text = (
        ("runtime error", message.removeprefix("runtime error: "))
        if "runtime error" in message
        else (
            "panic",
            message,
        )
    )
    return ExceptionInfo(type=name, message=text[:MAX_MESSAGE], frames=_bounded(list(reversed(own))))


def _go_function(line: str) -> str:
    """Cut the arguments off `pkg/path.(*Type).Method(0xc000, 0x1)`; the receiver's brackets stay."""
    text = line.rstrip()
    if text.endswith(")"):
        opened = text.rfind("(")
        return text[:opened] if opened > 0 else text
    return text[:300]


def _rust(lines: Sequence[str]) -> ExceptionInfo | None:
    for index, line in enumerate(lines):
        found = _RUST_HEAD.search(line) if "panicked at" in line else None
        if found is not None:
            below = lines[index + 1].strip() if index + 1 < len(lines) else ""
            frame = Frame(file=found.group("file"), line=int(found.group("line")), function=found.group("thread"))
            return ExceptionInfo(type="panic", message=found.group("old") or below, frames=(frame,))
    return None


def _ruby(lines: Sequence[str]) -> ExceptionInfo | None:
    for index, line in enumerate(lines):
        found = _RUBY_HEAD.search(line[:2048]) if ":in " in line[:1024] else None
        if found is None:
            continue
        frames = [_frame(found)]
        for below in lines[index + 1 :]:
            more = _RUBY_FROM.match(below)
            if more is not None:
                frames.append(_frame(more))
        frames.reverse()
        return ExceptionInfo(type=found.group("type"), message=found.group("message"), frames=_bounded(frames))
    return None


def _php(lines: Sequence[str]) -> ExceptionInfo | None:
    for index, line in enumerate(lines):
        found = _PHP_HEAD.search(line[:2048]) if "Uncaught " in line[:1024] else None
        if found is None:
            continue
        raised = Frame(file=found.group("file"), line=int(found.group("line")), function="{main}")
        calls = [_frame(more) for below in lines[index + 1 :] if (more := _PHP_FRAME.match(below))]
        return ExceptionInfo(
            type=found.group("type"), message=found.group("message") or "", frames=_bounded([*reversed(calls), raised])
        )
    return None


def _frame(found: re.Match[str]) -> Frame:
    return Frame(file=found.group("file"), line=int(found.group("line")), function=found.group("function") or "<main>")
