"""Operations on runbooks: find the one that fits, run its checks, propose its changes."""
