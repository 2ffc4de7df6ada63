"""What deliveries teach of addresses and devices, told to the user service, which owns them."""
