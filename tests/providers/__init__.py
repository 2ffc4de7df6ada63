"""Our providers against doubles that others wrote: `make test-providers` installs and runs them."""
