"""The other miner the log benchmark compares with, where somebody has installed it: drain3 with generic masks."""

import importlib
from collections.abc import Callable
from typing import Any


def drain() -> Callable[[str], Any] | None:
    """Return drain3's intake with the generic masks of its own example, None where it is not installed."""
    try:
        # Any: drain3 has no types, and is here only where somebody installed it to compare.
        drain3: Any = importlib.import_module("drain3")
        config: Any = importlib.import_module("drain3.template_miner_config").TemplateMinerConfig()
        masking: Any = importlib.import_module("drain3.masking")
    except ImportError:
        return None
    config.masking_instructions = [
        masking.MaskingInstruction(
            r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"
        ),
        masking.MaskingInstruction(
            r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"
        ),
        masking.MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
        masking.MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)", "SEQ"),
        masking.MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
        masking.MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
    ]
    feed: Callable[[str], Any] = drain3.TemplateMiner(config=config).add_log_message
    return feed
