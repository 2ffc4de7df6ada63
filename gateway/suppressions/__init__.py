"""What deliveries teach of addresses, told to the user service, which owns them."""
