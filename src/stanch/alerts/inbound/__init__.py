"""What senders posted: the raw messages, what each led to, the alerts by the identity their sender gives them."""
