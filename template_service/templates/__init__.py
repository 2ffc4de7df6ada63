"""Templates: what is said on a channel, in which languages, and which version of it is in force."""
