"""Django's PostgreSQL, for requests that do not wait for a silent server for ever."""
