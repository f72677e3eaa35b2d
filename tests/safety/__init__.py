"""The product as an attacker would try it: hostile strings through every surface, secrets, and rights."""
