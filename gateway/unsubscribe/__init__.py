"""The way out of every message: links that need no account, and the pages behind them."""
