"""The sample shop of the drill: three HTTP services from a real git repository, run as real processes.

`shop.Shop` starts and stops it, `ctl` operates it the way an engineer would, `faults` breaks it. Standard library
only, because its processes have to start fast.
"""
