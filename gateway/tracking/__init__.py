"""Opens and clicks of emails by links of our own, for templates that ask for it."""
