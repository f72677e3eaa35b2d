"""How a share reads as a percentage: one way in the terminal, on the pages, in messages and in findings. Pure."""


def percent(ratio: float) -> str:
    """Return a share in per cent, with a decimal below 10: 0.45 is `45 %`, 0.002 is `0.2 %`, 0.0004 is `0.04 %`."""
    if ratio < 0:
        return f"-{percent(-ratio)}"
    value = ratio * 100
    if value == 0 or value >= 9.95:
        return f"{value:.0f} %"
    if value >= 0.095:
        return f"{value:.1f}".removesuffix(".0") + " %"
    return f"{value:.2f} %" if value >= 0.005 else "under 0.01 %"
