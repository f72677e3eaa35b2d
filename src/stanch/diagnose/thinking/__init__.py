"""What a language model is asked about an incident, and what of its answer is believed."""
