"""Users as recipients: their addresses, devices and preferences."""
