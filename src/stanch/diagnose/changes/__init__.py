"""What changed near an onset, ranked by how well each change explains it, with an explicit "no change explains this".

A pure library: changes and evidence come in as records, a ranking with reasons goes out.
"""
