"""The SMS worker: the text channels, sms and whatsapp."""
