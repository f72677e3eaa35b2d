"""The top of the product: what the command line opens when it needs more than words.

Nothing is imported here: a command that looks into the embedded store must not wait for the web server or the drill.
"""
