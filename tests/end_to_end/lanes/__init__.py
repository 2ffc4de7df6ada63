"""Whether what is urgent stays fast while bulk waits: order in tests, times in a command."""
