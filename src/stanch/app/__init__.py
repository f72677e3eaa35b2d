"""The top of the product: what the command line opens when it needs more than words."""

from stanch.app.drill import run_drill
from stanch.app.server import serve
from stanch.app.wiring import embedded_way, fault_list, operation_list

__all__ = ["embedded_way", "fault_list", "operation_list", "run_drill", "serve"]
