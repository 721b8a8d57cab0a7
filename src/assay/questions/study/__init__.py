"""Which components matter? A study: its definition, plan, trials and what they say."""
