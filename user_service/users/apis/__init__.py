"""The HTTP API: reads the request, calls one service or selector, shows the result."""
